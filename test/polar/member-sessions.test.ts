import { expect, test } from "vitest";
import { makeClient, NAVIGATION } from "../support/client.ts";
import { makeTenant } from "../support/fixtures.ts";

test("a backend makes a session, the link signs a browser in, and token and cookie are recognised", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const created = await client.call("POST", "/v1/member-sessions/", tenant.apiKey, {
    member_id: tenant.team.member.id,
    return_url: "https://example.com",
  });
  const session = (await created.json()) as Record<string, string>;
  expect(created.status, JSON.stringify(session)).toBe(201);
  console.log(session);
  const landing = await client.fetch(session["member_portal_url"] as string, { headers: NAVIGATION });
  console.log(landing.status, [...landing.headers]);
  const cookie = landing.headers.get("Set-Cookie")?.split(";")[0] as string;
  const page = await client.fetch(landing.headers.get("Location") as string, { headers: { Cookie: cookie } });
  console.log(page.status, await page.text(), [...page.headers]);
  const auth = await client.fetch(`/v1/forward-auth?organization=${tenant.slug}`, { headers: { Cookie: cookie } });
  console.log(auth.status, [...auth.headers]);
  const intro = await client.call("GET", "/v1/customer-portal/customer-session/introspect", session["token"] as string);
  console.log(intro.status, await intro.text(), [...intro.headers]);
  await client.settle();
  console.log(client.logged);
});
