/**
 * A rotation of the JWT keys by `npm run keys`, as Stytch's own Node SDKs, unmodified, live through it: what they have in
 * memory when the next key begins to sign is enough. The keys are served from the file that the command wrote.
 */

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeProtectedHeader } from "jose";
import { B2BClient } from "stytch";
import { B2BClient as B2BClient12 } from "stytch-12";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { readJwtKeys } from "../../scripts/jwt-key-file.ts";
import { createSessionJwts, type SessionJwts } from "../../src/core/session-jwts.ts";
import { createJwtKeyRing, type JwtKeySecrets } from "../../src/crypto/jwt-keys.ts";

const PROJECT = "project-live-0b9e7c6c-2f5e-4d7e-9c0f-1a2b3c4d5e6f";
const MINUTE = 60_000;
const folder = mkdtempSync(join(tmpdir(), "latchkey-rotation-"));
const clock = { now: () => Date.now() };
let keys: JwtKeySecrets;
let sessionJwts: SessionJwts;
let server: Server;
let fetches = 0;

beforeAll(async () => {
  const env = { ...process.env, LATCHKEY_DEV_DIR: folder };
  for (const command of [[], ["rotate-jwt"]]) execFileSync(process.execPath, ["scripts/keys.ts", ...command], { env });
  keys = readJwtKeys(readFileSync(join(folder, ".dev.vars"), "utf8")) as JwtKeySecrets;
  const cache = { get: () => undefined, set() {} };
  sessionJwts = createSessionJwts({ keys: createJwtKeyRing(keys), cache, clock });
  server = createServer((_, response) => {
    fetches++;
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ keys: sessionJwts.publicKeys() }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => void vi.useRealTimers());
afterAll(() => {
  server?.closeAllConnections();
  server?.close();
  rmSync(folder, { recursive: true });
});

/** Of a session that has an hour left. */
async function sign(): Promise<string> {
  const at = new Date().toISOString();
  const session = { id: "session-live-1", started_at: at, last_accessed_at: at, expires_at: at, roles: [] };
  const claims = {
    iss: `stytch.com/${PROJECT}`,
    aud: [PROJECT],
    sub: "member-live-1",
    "https://stytch.com/session": { ...session, authentication_factors: [] },
    "https://stytch.com/organization": { organization_id: "organization-live-1", slug: "one" },
  };
  return sessionJwts.sign("1", claims, Date.now() + 60 * MINUTE);
}

test.each([
  ["14.2", B2BClient],
  ["12.43", B2BClient12 as unknown as typeof B2BClient],
])("SDK %s verifies by the key set that it has, before the next key signs and after", async (_, Client) => {
  const env = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { sessions } = new Client({ project_id: PROJECT, secret: "unused", env });
  const verify = (session_jwt: string) => sessions.authenticateJwtLocal({ session_jwt });
  const signsFrom = keys.next?.signsFrom as number;
  fetches = 0;

  vi.useFakeTimers({ toFake: ["Date"], now: signsFrom - 2 * MINUTE });
  const before = await sign();
  expect(decodeProtectedHeader(before).kid).toBe(keys.active.kid);
  await verify(before);
  vi.setSystemTime(signsFrom + MINUTE);
  const after = await sign();
  expect(decodeProtectedHeader(after).kid).toBe(keys.next?.kid);
  for (const jwt of [before, after]) expect((await verify(jwt)).member_id).toBe("member-live-1");
  expect(fetches).toBe(1);

  // The session that the former key spoke of is refreshed by what it signed, long after.
  vi.setSystemTime(signsFrom + 60 * 24 * 60 * MINUTE);
  await expect(verify(before)).rejects.toMatchObject({ code: "jwt_invalid" });
  expect(await sessionJwts.verify(before)).toHaveProperty("claims");
});
