/** The running server as Stytch's SDKs see it. */

import { expect } from "vitest";
import { demo } from "./demo.ts";

/** What an SDK's client is made of, in Node's words. */
export interface Project {
  project_id: string;
  secret: string;
  env: string;
}

export const demoProject: Project = { project_id: demo.project_id, secret: demo.api_key, env: demo.base_url };

/** What an SDK has to make of a refusal. */
export function refusal(status_code: number, error_type: string) {
  return {
    status_code,
    error_type,
    error_message: expect.stringMatching(/\S/),
    error_url: expect.stringMatching(new RegExp(`^https://.*#${error_type}$`)),
    request_id: expect.stringMatching(/^request-id-live-[0-9a-f-]{36}$/),
  };
}
