/**
 * The packages that merchants mount instead of calling an SDK themselves, unmodified: `@polar-sh/hono`'s portal handler
 * and `@polar-sh/better-auth`'s portal plugin.
 */

import { polar as polarPlugin, portal } from "@polar-sh/better-auth";
import { CustomerPortal } from "@polar-sh/hono";
import { Polar } from "@polar-sh/sdk";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { Hono } from "hono/quick";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { api, demo, makeTeam, unique } from "./support/demo.ts";

const individual = demo.customers.find(({ type }) => type === "individual") as (typeof demo.customers)[number];
const LINK = new RegExp(`^${demo.base_url}/${demo.organization.slug}/portal\\?code=lk_code_[\\w-]{57}$`);

describe("@polar-sh/hono", () => {
  /** It knows Polar's two hosts only, so the host is changed on the way, as its users do by DNS or a proxy. */
  const POLAR_HOST = "https://sandbox-api.polar.sh";
  const realFetch = globalThis.fetch;
  beforeEach(() => {
    vi.stubGlobal("fetch", (input: RequestInfo | URL, init?: RequestInit) => {
      const request = new Request(input, init);
      return realFetch(new Request(request.url.replace(POLAR_HOST, demo.base_url), request));
    });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  const portalFor = (customerId: string) => {
    const app = new Hono();
    const config = { accessToken: demo.api_key, server: "sandbox", returnUrl: "https://myapp.com" } as const;
    // The adapter was built against another copy of hono.
    app.get("/portal", CustomerPortal({ ...config, getCustomerId: async () => customerId }) as never);
    return app.request("/portal");
  };

  test("redirects a customer to its portal", async () => {
    const response = await portalFor(individual.id);
    expect(response.status).toBe(302);
    expect(response.headers.get("Location")).toMatch(LINK);
  });

  test("answers 400 where the application knows no customer, and 500 for one that we do not know", async () => {
    expect((await portalFor("")).status).toBe(400);
    expect((await portalFor("0b9e7c6c-2f5e-4d7e-9c0f-1a2b3c4d5e6f")).status).toBe(500);
  });

  test("cannot say which member of a team it means, as with Polar", async () => {
    expect((await portalFor((await makeTeam()).id)).status).toBe(500);
  });
});

describe("@polar-sh/better-auth", () => {
  const client = new Polar({ accessToken: demo.api_key, serverURL: demo.base_url });
  const auth = betterAuth({
    baseURL: "http://localhost:3000",
    secret: "of these tests only, and long enough for it",
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    emailAndPassword: { enabled: true },
    plugins: [
      polarPlugin({
        // The plugin wants the client's type from its own copy of the SDK.
        client: client as never,
        createCustomerOnSignUp: true,
        use: [portal({ returnUrl: "https://myapp.com/account" })],
      }),
    ],
  });

  async function signUp() {
    const { email } = unique("user");
    const response = await auth.api.signUpEmail({
      body: { email, name: "Uma User", password: "a password of hers" },
      asResponse: true,
    });
    const { user } = (await response.json()) as { user: { id: string } };
    return { email, userId: user.id, cookie: response.headers.get("Set-Cookie")?.split(";")[0] as string };
  }

  const call = async (cookie: string, path: string, init: RequestInit = {}) =>
    auth.handler(new Request(`http://localhost:3000/api/auth${path}`, { ...init, headers: { cookie } }));

  test("makes a customer when a user signs up, under the user's id", async () => {
    const { email, userId } = await signUp();
    const customer = await api("GET", `/v1/customers/external/${userId}`);
    expect(customer).toMatchObject({ email, external_id: userId, name: "Uma User" });
  });

  test("leads a signed-in user to the portal", async () => {
    const { cookie } = await signUp();
    const response = await call(cookie, "/customer/portal");
    expect(response.status, await response.clone().text()).toBe(200);
    const { url, redirect } = (await response.json()) as { url: string; redirect: boolean };
    expect(url.replace(/[?&]theme=\w+/, "")).toMatch(LINK);
    expect(redirect).toBe(true);
  });

  test("reads the customer's state", async () => {
    const { cookie, userId } = await signUp();
    const response = await call(cookie, "/customer/state");
    expect(await response.json()).toMatchObject({ externalId: userId, activeSubscriptions: [] });
  });

  test("does not let in who is not signed in", async () => {
    expect((await call("", "/customer/portal")).status).toBe(401);
  });
});
