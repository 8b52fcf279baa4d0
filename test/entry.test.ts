/** The Worker as it is deployed: its own entry, the real clock, the bindings of the runtime. */

import { createScheduledController } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import entry from "../src/index.ts";
import { NAVIGATION } from "./support/client.ts";
import { makeTenant } from "./support/fixtures.ts";

test("the entry makes a session, lets its link in, and recognises cookie and token", async () => {
  const tenant = await makeTenant();
  const worker = exports.default;
  const created = await worker.fetch("https://portal.test/v1/member-sessions/", {
    method: "POST",
    headers: { Authorization: `Bearer ${tenant.apiKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ member_id: tenant.team.member.id }),
  });
  expect(created.status).toBe(201);
  const { token, member_portal_url } = (await created.json()) as { token: string; member_portal_url: string };
  const landing = await worker.fetch(member_portal_url, { headers: NAVIGATION, redirect: "manual" });
  expect(landing.status).toBe(303);
  const cookie = landing.headers.get("Set-Cookie")?.split(";")[0] as string;
  for (const credential of [{ Cookie: cookie }, { Authorization: `Bearer ${token}` }]) {
    const asked = await worker.fetch(`https://portal.test/v1/forward-auth?organization=${tenant.id}`, {
      headers: credential as Record<string, string>,
    });
    expect(asked.status).toBe(204);
    expect(asked.headers.get("X-Member-Id")).toBe(tenant.team.member.id);
  }
});

test("the hourly clean-up deletes what has expired by the real clock, and says so", async () => {
  const tenant = await makeTenant();
  await env.DB.prepare(
    `INSERT INTO sessions (lookup_key, id, token_key, token_sealed, kind, organization_id, customer_id,
       organization_epoch, customer_epoch, created_at, expires_at, absolute_expires_at)
     VALUES ('old', 'old', 't', '', 'customer', ?1, ?2, 0, 0, 1, 2, 3)`,
  )
    .bind(tenant.id, tenant.individual.id)
    .run();
  const line = vi.spyOn(console, "info").mockImplementation(() => {});
  await entry.scheduled(createScheduledController(), env);
  expect(line.mock.calls.map(([text]) => JSON.parse(text as string))).toContainEqual(
    expect.objectContaining({ event: "expired_rows_deleted", table: "sessions", rows: 1 }),
  );
  expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM sessions WHERE id = 'old'").first("n")).toBe(0);
  line.mockRestore();
});
