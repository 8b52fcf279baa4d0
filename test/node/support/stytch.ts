/** The running server as Stytch's SDKs see it. */

import { expect } from "vitest";
import { demo, makeOrganization, unique } from "./demo.ts";

/** What an SDK's client is made of, in Node's words. */
export interface Project {
  project_id: string;
  secret: string;
  env: string;
}

export const demoProject: Project = { project_id: demo.project_id, secret: demo.api_key, env: demo.base_url };

/** A project of a test's own. @param settings options of `npm run admin -- create-organization` */
export async function makeProject(name: string, ...settings: string[]): Promise<Project & { slug: string }> {
  const { slug, apiKey, projectId } = await makeOrganization(unique(name).externalId, ...settings);
  return { slug, project_id: projectId, secret: apiKey, env: demo.base_url };
}

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
