/**
 * `oauth2.introspect` and `oauth2.revoke` of Polar's own SDKs, unmodified, over HTTP, with a session's token and an API
 * key as the client's secret. 1.0 is left out: its two methods send no parameters at all.
 */

import { Polar as Polar045 } from "polar-sdk-0.45";
import { ResponseValidationError as Invalid045 } from "polar-sdk-0.45/models/errors/responsevalidationerror.js";
import { SDKError as SDKError045 } from "polar-sdk-0.45/models/errors/sdkerror.js";
import { Polar as Polar049 } from "polar-sdk-0.49";
import { ResponseValidationError as Invalid049 } from "polar-sdk-0.49/models/errors/responsevalidationerror.js";
import { SDKError as SDKError049 } from "polar-sdk-0.49/models/errors/sdkerror.js";
import { describe, expect, test } from "vitest";
import { demo, isLive, makeOrganization, signIn } from "./support/demo.ts";

const team = demo.customers.find(({ type }) => type === "team") as (typeof demo.customers)[number];
const [member] = team.members as [(typeof team.members)[number]];
const client = { clientId: demo.organization.id, clientSecret: demo.api_key };

describe.each([
  ["0.45", new Polar045({ serverURL: demo.base_url }), Invalid045, SDKError045, {}],
  [
    "0.49",
    new Polar049({ serverURL: demo.base_url }),
    Invalid049,
    SDKError049,
    { organizations: [demo.organization.id] },
  ],
])("SDK %s", (version, { oauth2 }, ResponseValidationError, SDKError, more) => {
  test("introspects a live session", async () => {
    const { token } = await signIn(member.id);
    const introspected = await oauth2.introspect({ ...client, token, tokenTypeHint: "access_token" });
    expect(introspected).toEqual({
      active: true,
      clientId: demo.organization.id,
      tokenType: "access_token",
      scope: "customer_portal:write",
      subType: "user",
      sub: member.id,
      aud: demo.organization.id,
      iss: demo.base_url,
      iat: expect.any(Number),
      exp: introspected.iat + 3600,
      ...more,
    });
    expect(Math.abs(introspected.iat - Date.now() / 1000)).toBeLessThan(30);
  });

  test("revokes it, by the organization's slug as well, and as often as it likes", async () => {
    const { token } = await signIn(member.id);
    const request = { ...client, clientId: demo.organization.slug, token };
    for (let time = 0; time < 2; time++) expect(await oauth2.revoke(request)).toEqual({});
    await expect.poll(() => isLive(token)).toBe(false);
    const refused = await oauth2.introspect({ ...client, token }).catch((error: unknown) => error);
    // As with Polar itself: these SDKs know no inactive token.
    expect(refused).toBeInstanceOf(ResponseValidationError);
    expect(refused).toMatchObject({ rawValue: { active: false } });
  });

  test("meets invalid_client with a wrong key, and leaves another organization's session alone", async () => {
    const { token } = await signIn(member.id);
    const refused = await oauth2
      .introspect({ ...client, clientSecret: "wrong", token })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(SDKError);
    expect(refused).toMatchObject({ statusCode: 401, body: expect.stringContaining('"invalid_client"') });
    const other = await makeOrganization(`oauth-${version.replace(".", "-")}`);
    expect(await oauth2.revoke({ clientId: other.slug, clientSecret: other.apiKey, token })).toEqual({});
    expect(await isLive(token)).toBe(true);
  });
});
