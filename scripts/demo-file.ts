/**
 * `demo.json`: what the local server offers to a newcomer, to tests and to examples. It is the only place that holds
 * the demo API key in the clear.
 */

import { readIfThere, writePrivateFile } from "./private-file.ts";

export interface Demo {
  base_url: string;
  organization: { id: string; slug: string };
  api_key: string;
  project_id: string;
  customers: DemoCustomer[];
  /** null when the demo organization no longer allows member sessions. */
  portal_url: string | null;
}

export interface DemoCustomer {
  id: string;
  external_id: string;
  type: "individual" | "team";
  email: string | null;
  members: DemoMember[];
}

export interface DemoMember {
  id: string;
  external_id: string | null;
  email: string;
  role: "owner" | "billing_manager" | "member";
}

/** The API key of an earlier run, or null. A damaged file is as good as none. */
export function readDemoApiKey(file: string): string | null {
  try {
    const { api_key } = JSON.parse(readIfThere(file) ?? "{}") as Partial<Demo>;
    return typeof api_key === "string" ? api_key : null;
  } catch {
    return null;
  }
}

export function writeDemo(file: string, demo: Demo): void {
  writePrivateFile(file, `${JSON.stringify(demo, null, 2)}\n`);
}
