/** What an operator does so that members are let in by somebody's word: an outside party's, or the operator's own. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";
import { admin } from "./demo.ts";
import { type OutsideParty, openOutsideParty } from "./outside-party.ts";
import { makeProject } from "./stytch.ts";
import type { SignedIn } from "./stytch-people.ts";

export type ProjectWithDoors = Awaited<ReturnType<typeof makeProjectWithDoors>>;

/** A project with a profile of each kind. That by PEM makes members of who is none. */
export async function makeProjectWithDoors() {
  const outside = await openOutsideParty();
  const { slug, ...project } = await makeProject("doors", "--userinfo-url", outside.userInfoUrl);
  const pem = join(inject("stateDirectory"), `${slug}.pem`);
  await writeFile(pem, outside.pem);
  const jwks = ["--jwks-url", outside.jwksUrl];
  const accessTokens = ["--purpose", "access_token", "--organization-claim", "organization_id"];
  const profiles = {
    jwks: await addProfile(slug, outside, jwks),
    pem: await addProfile(slug, outside, ["--pem-file", pem, "--can-make-members", "on"]),
    accessTokens: await addProfile(slug, outside, [...jwks, ...accessTokens]),
  };
  return { outside, project, slug, profiles };
}

/** @returns its id */
export async function addProfile(slug: string, { issuer, audience }: OutsideParty, options: string[]): Promise<string> {
  const whose = ["--organization", slug, "--name", "test", "--issuer", issuer, "--audience", audience];
  return admin("add-trusted-token-profile", ...whose, ...options);
}

/** @returns a token for an hour in the member's place */
export async function impersonationToken(slug: string, { member_id }: Pick<SignedIn, "member_id">): Promise<string> {
  return admin("impersonate", "--organization", slug, "--member", member_id, "--as", "operator@example.com");
}
