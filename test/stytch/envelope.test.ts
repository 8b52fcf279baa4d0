/** What every response of the Stytch dialect is, whatever was asked (wire rules W1 to W12). */

import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeTenant } from "../support/fixtures.ts";
import { basic, call, failure, projectId } from "./support.ts";

const PATHS = ["/v1/b2b/", "/v1/b2b/nothing", "/v1/b2b/sessions/", "/v1/b2b/magic_links/email/send", "/v1/b2b/a%2Fb"];

describe("what no route takes", () => {
  test.each(PATHS)(
    "%s is route_not_found in JSON, with and without credentials, and never a redirect",
    async (path) => {
      const client = makeClient();
      const tenant = await makeTenant();
      for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH"]) {
        await failure(call(client, tenant, method, path), 404, "route_not_found");
        await failure(client.fetch(path, { method }), 404, "route_not_found");
      }
    },
  );

  test("is kept by no cache", async () => {
    const response = await makeClient().fetch("/v1/b2b/nothing");
    expect(response.headers.get("Cache-Control")).toBe("private, no-store");
    expect([...response.headers.keys()].filter((name) => /^polar|^access-control/.test(name))).toEqual([]);
  });
});

test("a Worker that is not set up says so in this dialect's words, and asks to try again", async () => {
  const client = makeClient({ TOKEN_KEYS: "" } as Partial<Cloudflare.Env>);
  const response = await client.fetch("/v1/b2b/sessions/authenticate", {
    method: "POST",
    headers: basic(projectId({ id: crypto.randomUUID() }), "secret"),
    body: "{}",
  });
  expect(response.headers.get("Retry-After")).toBe("5");
  await failure(response, 503, "server_unavailable");
  expect(client.logged).toMatchObject([{ event: "misconfigured" }]);
  expect(env.TOKEN_KEYS).not.toBe("");
});
