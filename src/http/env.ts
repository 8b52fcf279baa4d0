/**
 * What every handler finds in its context.
 */

import type { Services } from "../services.ts";

export interface AppEnv {
  Bindings: Cloudflare.Env;
  Variables: {
    services: Services;
  };
}
