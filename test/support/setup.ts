/** Every test file starts with the schema in place. Tests make their own organization and so never meet each other. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
