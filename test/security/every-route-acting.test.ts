/**
 * Every route that a backend may call in the name of a member: a session that does not count there is refused as what it
 * is, whatever else the backend may do, and nothing is done. The other routes do not look at such a session.
 */

import { describe, expect, test } from "vitest";
import { failure } from "../stytch/support.ts";
import { credentials } from "../support/fixtures.ts";
import { makeFaultyClient, makeLink } from "../support/portal.ts";
import { dialectOf } from "./dialects.ts";
import { makeWorld, ROUTES, type Route, send, stateOfD1, type World } from "./routes.ts";
import { STYTCH } from "./stytch-dialect.ts";

const stytch = ROUTES.filter((route) => dialectOf(route) === STYTCH);
const acting = stytch.filter(({ inMembersName }) => inMembersName);
const others = stytch.filter(({ inMembersName }) => !inMembersName);

const TOKEN = "X-Stytch-Member-Session";
const JWT = "X-Stytch-Member-SessionJWT";

const ended = async ({ client, tenant }: World) => {
  const { token, sessionId } = await makeLink(client, tenant, tenant.team.owner);
  await client.call("DELETE", `/v1/member-sessions/${sessionId}`, tenant.apiKey);
  return token;
};

type Headers = Record<string, string>;
const REFUSED: [string, number, string, (world: World) => Promise<Headers> | Headers][] = [
  ["no token at all", 400, "no_session_arguments", () => ({ [TOKEN]: "" })],
  ["an API key", 400, "invalid_session_token", ({ tenant }) => ({ [TOKEN]: tenant.apiKey })],
  ["another system's token", 400, "invalid_session_token", () => ({ [TOKEN]: "A".repeat(44) })],
  ["a token where a JWT belongs", 400, "unable_to_parse_session_jwt", ({ session }) => ({ [JWT]: session.token })],
  ["a JWT where a token belongs", 400, "invalid_session_token", ({ jwt }) => ({ [TOKEN]: jwt })],
  ["an unsigned JWT", 401, "invalid_session_jwt", () => ({ [JWT]: "eyJhbGciOiJub25lIn0.e30." })],
  ["both", 400, "too_many_session_arguments", ({ session, jwt }) => ({ [TOKEN]: session.token, [JWT]: jwt })],
  ["a forged token", 404, "session_not_found", () => ({ [TOKEN]: `lk_mst_t${"A".repeat(56)}` })],
  ["a token never issued", 404, "session_not_found", async () => ({ [TOKEN]: (await credentials.mint("mst")).token })],
  ["an ended session", 404, "session_not_found", async (world) => ({ [TOKEN]: await ended(world) })],
  ["another project's session", 404, "session_not_found", ({ otherSession }) => ({ [TOKEN]: otherSession.token })],
  [
    "a session of another organization",
    403,
    "session_authorization_tenancy_error",
    async ({ client, tenant }) => ({ [TOKEN]: (await makeLink(client, tenant, tenant.individual.owner)).token }),
  ],
];

describe.each(acting)("$route, in a member's name", (route: Route) => {
  test.each(REFUSED)("refuses %s, and does nothing", async (_, status, type, headersIn) => {
    const world = await makeWorld({ ...route, jwt: true });
    const headers = await headersIn(world);
    const before = await stateOfD1();
    await failure(send(route, world, { headers }), status, type);
    expect(await stateOfD1()).toEqual(before);
  });

  test("does nothing while nobody can tell whether the session lives", async () => {
    const world = await makeWorld(route);
    const { client, db } = makeFaultyClient(world.client.clock);
    const before = await stateOfD1();
    const headers = { [TOKEN]: world.session.token };
    db.fail(/WHERE s\.lookup_key = /);
    await failure(send(route, world, { client, headers }), 503, "server_unavailable");
    expect(await stateOfD1()).toEqual(before);
  });
});

describe.each(others)("$route", (route) => {
  test("does not look at a member's session in a header", async () => {
    const world = await makeWorld(route);
    const headers = { [TOKEN]: await ended(world), [JWT]: "nonsense" };
    expect((await send(route, world, { headers })).status).toBe(route.ok);
  });
});
