/** What the portal's handlers find in their context. */

import type { SecureHeadersVariables } from "hono/secure-headers";
import type { AppEnv } from "../http/env.ts";

export interface PortalEnv {
  Bindings: AppEnv["Bindings"];
  Variables: AppEnv["Variables"] & SecureHeadersVariables;
}
