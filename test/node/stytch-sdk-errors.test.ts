/**
 * What Stytch's own Node SDKs, unmodified, make of a refusal over HTTP: an error that tells its type, and never a body
 * that cannot be read. Asked for is what is not offered here.
 */

import { B2BClient, StytchError } from "stytch";
import { B2BClient as B2BClient12, StytchError as StytchError12 } from "stytch-12";
import { describe, expect, test } from "vitest";
import { demoProject, refusal } from "./support/stytch.ts";

type Client = Pick<B2BClient, "magicLinks" | "otps" | "passwords" | "sso" | "totps">;

const NOT_OFFERED: [name: string, call: (client: Client) => Promise<unknown>][] = [
  ["magicLinks.authenticate", ({ magicLinks }) => magicLinks.authenticate({ magic_links_token: "x" })],
  ["passwords.strengthCheck", ({ passwords }) => passwords.strengthCheck({ password: "x" })],
  ["sso.getConnections", ({ sso }) => sso.getConnections({ organization_id: "a b/c" })],
  ["sso.deleteConnection", ({ sso }) => sso.deleteConnection({ organization_id: "a", connection_id: "b" })],
  ["totps.authenticate", ({ totps }) => totps.authenticate({ organization_id: "a", member_id: "b", code: "1" })],
];

describe.each([
  ["14.2", new B2BClient({ ...demoProject }), StytchError],
  ["12.43", new B2BClient12({ ...demoProject }) as unknown as Client, StytchError12],
])("SDK %s", (_, client, ErrorOfSdk) => {
  test.each(NOT_OFFERED)("%s is told that there is no such route", async (_, call) => {
    const error = await call(client).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ErrorOfSdk);
    expect(error).toMatchObject(refusal(404, "route_not_found"));
  });
});
