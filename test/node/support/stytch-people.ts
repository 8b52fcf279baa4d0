/** Members as Stytch names them, signed in by the project's backend, and their JWTs as they were an hour ago. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { decodeJwt, decodeProtectedHeader, importJWK, type JWTHeaderParameters, SignJWT } from "jose";
import { inject } from "vitest";
import { addMember, api, makeTeam, type Person, signIn } from "./demo.ts";
import { mailTo } from "./mail.ts";
import { demoProject } from "./stytch.ts";

/** Somebody of an organization, as Stytch names them, signed in by the project's backend. */
export interface SignedIn {
  organization_id: string;
  member_id: string;
  email_address: string;
  member_session_id: string;
  session_token: string;
}

/** Signs in whom `member_id` names, once more. */
export async function signInAgain(somebody: Pick<SignedIn, "member_id">, project = demoProject): Promise<SignedIn> {
  const memberId = somebody.member_id.replace("member-live-", "");
  const { id, token, member } = await signIn(memberId, { apiKey: project.secret });
  return {
    organization_id: `organization-live-${member.customer_id}`,
    member_id: somebody.member_id,
    email_address: member.email,
    member_session_id: `session-live-${id}`,
    session_token: token,
  };
}

/** An organization of a test's own with two people, both signed in: an admin and one who is no more than a member. */
export async function makeTwoSignedIn(project = demoProject): Promise<{ admin: SignedIn; member: SignedIn }> {
  const team = await makeTeam({ apiKey: project.secret });
  const member = await addMember(team.id, "Mia Member", project.secret);
  const query = `/v1/members/?customer_id=${team.id}&role=owner`;
  const { items } = await api<{ items: Person[] }>("GET", query, undefined, project.secret);
  const wireId = (person: Person | undefined) => ({ member_id: `member-live-${person?.id}` });
  return {
    admin: await signInAgain(wireId(items[0]), project),
    member: await signInAgain(wireId(member), project),
  };
}

/** Signs somebody in by a code out of their mailbox, through Polar's API, which proves the address. @returns the token */
export async function signInByMail(
  { organization_id, email_address: email }: Pick<SignedIn, "organization_id" | "email_address">,
  { project_id, secret } = demoProject,
): Promise<string> {
  const where = {
    organization_id: project_id.replace("project-live-", ""),
    customer_id: organization_id.replace("organization-live-", ""),
  };
  await api("POST", "/v1/customer-portal/customer-session/request", { email, ...where }, secret);
  const code = /^[2-9A-Z]{4}-[2-9A-Z]{4}$/m.exec(await mailTo(email))?.[0];
  const path = "/v1/customer-portal/customer-session/authenticate";
  return (await api<{ token: string }>("POST", path, { code, email, ...where }, secret)).token;
}

const HOUR_SECONDS = 3600;

/** The JWT as the running server would have signed it an hour ago, with the key of its vars file. */
export async function agedByAnHour(jwt: string): Promise<string> {
  const variables = parseEnv(await readFile(join(inject("stateDirectory"), ".dev.vars"), "utf8"));
  const key = await importJWK({ kty: "RSA", ...JSON.parse(variables["JWT_KEY"] as string) }, "RS256");
  const { iat = 0, nbf = 0, exp = 0, ...claims } = decodeJwt(jwt);
  return new SignJWT({ ...claims, iat: iat - HOUR_SECONDS, nbf: nbf - HOUR_SECONDS, exp: exp - HOUR_SECONDS })
    .setProtectedHeader(decodeProtectedHeader(jwt) as JWTHeaderParameters)
    .sign(key);
}
