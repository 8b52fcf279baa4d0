/**
 * Every route of the application, with what it takes to be served: the table that the sweeps of this folder walk. A
 * route that is registered and missing here fails the first of them.
 */

import { env } from "cloudflare:workers";
import { type Client, makeClient, NAVIGATION } from "../support/client.ts";
import { askForChange, CHECK, newAddress, REQUEST, VERIFY } from "../support/email-change.ts";
import { makeTenant, type Tenant } from "../support/fixtures.ts";
import { cookieWith, type Link, makeLink } from "../support/portal.ts";
import { scanner } from "../support/scanner.ts";
import { ask } from "../support/sign-in.ts";

/** One organization with a session, and another that has nothing to do with it. */
export interface World {
  client: Client;
  tenant: Tenant;
  session: Link;
  other: Tenant;
  otherSession: Link;
  /** Credential of a sign-in link, where the route needs one. */
  mailedLink: string;
  /** Token of a mailed link that changes an address; empty where the organization does not allow that. */
  emailChange: string;
}

export interface Route {
  /** As the application registers it. */
  route: string;
  /** Who may call it. "signature": whoever has signed the body. */
  guard: "api key" | "session" | "anybody" | "cookie" | "link" | "signature";
  /** Whose session it takes, where a plain member's of the team is not enough. */
  holder?: "owner" | "individual";
  path(world: World): string;
  /** The fullest valid body. */
  body?(world: World): Record<string, unknown> | Record<string, unknown>[];
  /** The body is a form, as it always is in the portal. */
  form?: true;
  /** Status for whoever may. */
  ok: number;
  /** Of that answer, where it is not JSON. */
  contentType?: string;
  /** Status for another organization's API key; none where the route knows the caller's own things only. */
  foreign?: number;
  /** Whether it takes a link that was mailed to the member. */
  mailed?: true;
  /** Columns of the organization that the route needs. */
  settings?: Record<string, string | number | null>;
}

const EMAIL_CHANGE: Pick<Route, "settings" | "holder"> = { settings: { allow_email_change: 1 }, holder: "individual" };
const newMember = () => ({
  email: newAddress(),
  name: "New",
  external_id: crypto.randomUUID(),
  role: "member",
});

const LIST_QUERY = "role=member&sorting=-created_at";

const membersAt = (route: string, path: Route["path"]): Route[] => [
  {
    route: `GET ${route}`,
    guard: "api key",
    path: (world) => `${path(world)}?${LIST_QUERY}`,
    ok: 200,
    foreign: 404,
  },
  { route: `POST ${route}`, guard: "api key", path, body: newMember, ok: 201, foreign: 404 },
];

const memberAt = (route: string, path: Route["path"]): Route[] => [
  { route: `GET ${route}`, guard: "api key", path, ok: 200, foreign: 404 },
  {
    route: `PATCH ${route}`,
    guard: "api key",
    path,
    body: () => ({ name: "New", email: `new-${crypto.randomUUID()}@example.com`, role: "billing_manager" }),
    ok: 200,
    foreign: 404,
  },
  { route: `DELETE ${route}`, guard: "api key", path, ok: 204, foreign: 404 },
];

export const ROUTES: Route[] = [
  {
    route: "ALL /v1/forward-auth",
    guard: "session",
    path: ({ tenant }) => `/v1/forward-auth?organization=${tenant.slug}`,
    ok: 204,
  },
  {
    route: "POST /v1/member-sessions/",
    guard: "api key",
    path: () => "/v1/member-sessions/",
    body: ({ tenant }) => ({
      member_id: tenant.team.member.id,
      return_url: "https://example.com/back",
      expires_in: 3600,
    }),
    ok: 201,
    foreign: 422,
  },
  {
    route: "GET /v1/member-sessions/",
    guard: "api key",
    path: ({ tenant: { team } }) =>
      `/v1/member-sessions/?${new URLSearchParams({
        member_id: team.member.id,
        customer_id: team.id,
        external_customer_id: team.externalId,
        external_member_id: team.member.externalId,
      })}`,
    ok: 200,
  },
  {
    route: "GET /v1/member-sessions/current",
    guard: "session",
    path: () => "/v1/member-sessions/current",
    ok: 200,
  },
  {
    route: "DELETE /v1/member-sessions/current",
    guard: "session",
    path: () => "/v1/member-sessions/current",
    ok: 204,
  },
  {
    route: "POST /v1/member-sessions/revoke",
    guard: "api key",
    path: () => "/v1/member-sessions/revoke",
    body: ({ tenant, session }) => ({ member_id: tenant.team.member.id, except: session.sessionId }),
    ok: 204,
    foreign: 422,
  },
  {
    route: "POST /v1/member-sessions/redeem",
    guard: "api key",
    path: () => "/v1/member-sessions/redeem",
    body: ({ session }) => ({ code: session.code }),
    settings: { portal_url: "https://app.example.com/" },
    ok: 200,
    foreign: 422,
  },
  {
    route: "GET /v1/member-sessions/:id",
    guard: "api key",
    path: ({ session }) => `/v1/member-sessions/${session.sessionId}`,
    ok: 200,
    foreign: 404,
  },
  {
    route: "DELETE /v1/member-sessions/:id",
    guard: "api key",
    path: ({ session }) => `/v1/member-sessions/${session.sessionId}`,
    ok: 204,
    foreign: 404,
  },
  {
    route: "POST /v1/customer-sessions/",
    guard: "api key",
    path: () => "/v1/customer-sessions/",
    body: ({ tenant: { team } }) => ({
      external_customer_id: team.externalId,
      external_member_id: team.member.externalId,
      return_url: "https://example.com/back",
      expires_in: 3600,
    }),
    ok: 201,
    foreign: 422,
  },
  {
    route: "GET /v1/customer-portal/customer-session/introspect",
    guard: "session",
    path: () => "/v1/customer-portal/customer-session/introspect",
    ok: 200,
  },
  {
    route: "GET /v1/customer-portal/customer-session/user",
    guard: "session",
    path: () => "/v1/customer-portal/customer-session/user",
    ok: 200,
  },
  {
    route: "GET /v1/customer-portal/customers/me",
    guard: "session",
    path: () => "/v1/customer-portal/customers/me",
    ok: 200,
  },
  {
    route: "PATCH /v1/customer-portal/customers/me",
    guard: "session",
    holder: "owner",
    path: () => "/v1/customer-portal/customers/me",
    body: () => ({
      billing_name: "New Ltd",
      billing_address: { line1: "1", line2: "2", postal_code: "3", city: "4", state: "CA", country: "US" },
      tax_id: "911144442",
    }),
    ok: 200,
  },
  ...membersAt(
    "/v1/customers/external/:external_id{.+}/members",
    ({ tenant }) => `/v1/customers/external/${tenant.team.externalId}/members`,
  ),
  ...memberAt(
    "/v1/customers/external/:external_id{.+}/members/:member_external_id{.+}",
    ({ tenant: { team } }) => `/v1/customers/external/${team.externalId}/members/${team.member.externalId}`,
  ),
  ...membersAt("/v1/customers/:id/members", ({ tenant }) => `/v1/customers/${tenant.team.id}/members`),
  ...memberAt(
    "/v1/customers/:id/members/:member_id",
    ({ tenant: { team } }) => `/v1/customers/${team.id}/members/${team.member.id}`,
  ),
  {
    route: "POST /v1/customer-portal/customer-session/request",
    guard: "anybody",
    path: () => "/v1/customer-portal/customer-session/request",
    body: ({ tenant }) => ({
      email: tenant.team.member.email,
      organization_id: tenant.id,
      customer_id: tenant.team.id,
    }),
    ok: 202,
  },
  {
    route: "POST /v1/customer-portal/customer-session/authenticate",
    guard: "anybody",
    path: () => "/v1/customer-portal/customer-session/authenticate",
    body: ({ tenant, mailedLink }) => ({
      code: mailedLink,
      email: tenant.team.member.email,
      organization_id: tenant.id,
      customer_id: tenant.team.id,
    }),
    mailed: true,
    ok: 200,
  },
  {
    route: "GET /v1/customer-portal/organizations/:slug",
    guard: "anybody",
    path: ({ tenant }) => `/v1/customer-portal/organizations/${tenant.slug}`,
    ok: 200,
  },
  {
    route: "POST /v1/customer-portal/customers/me/email-update/request",
    guard: "session",
    ...EMAIL_CHANGE,
    path: () => REQUEST,
    body: () => ({ email: newAddress() }),
    ok: 202,
  },
  {
    route: "GET /v1/customer-portal/customers/me/email-update/check",
    guard: "anybody",
    ...EMAIL_CHANGE,
    path: ({ emailChange }) => `${CHECK}?token=${emailChange}`,
    ok: 204,
  },
  {
    route: "POST /v1/customer-portal/customers/me/email-update/verify",
    guard: "anybody",
    ...EMAIL_CHANGE,
    path: () => VERIFY,
    body: ({ emailChange }) => ({ token: emailChange }),
    ok: 200,
  },
  {
    route: "GET /v1/members/",
    guard: "api key",
    path: ({ tenant: { team } }) =>
      `/v1/members/?${LIST_QUERY}&customer_id=${team.id}&external_customer_id=${team.externalId}`,
    ok: 200,
  },
  {
    route: "POST /v1/members/",
    guard: "api key",
    path: () => "/v1/members/",
    body: ({ tenant }) => ({ customer_id: tenant.team.id, ...newMember() }),
    ok: 201,
    foreign: 404,
  },
  ...memberAt(
    "/v1/members/external/:external_id{.+}",
    ({ tenant: { team } }) => `/v1/members/external/${team.member.externalId}?customer_id=${team.id}`,
  ),
  ...memberAt("/v1/members/:id", ({ tenant }) => `/v1/members/${tenant.team.member.id}`),
  {
    route: "GET /v1/customer-portal/members",
    guard: "session",
    holder: "owner",
    path: () => "/v1/customer-portal/members",
    ok: 200,
  },
  {
    route: "POST /v1/customer-portal/members",
    guard: "session",
    holder: "owner",
    path: () => "/v1/customer-portal/members",
    body: () => ({ email: `new-${crypto.randomUUID()}@example.com`, name: "New", role: "member" }),
    ok: 201,
  },
  {
    route: "PATCH /v1/customer-portal/members/:id",
    guard: "session",
    holder: "owner",
    path: ({ tenant }) => `/v1/customer-portal/members/${tenant.team.member.id}`,
    body: () => ({ name: "New", role: "billing_manager" }),
    ok: 200,
  },
  {
    route: "DELETE /v1/customer-portal/members/:id",
    guard: "session",
    holder: "owner",
    path: ({ tenant }) => `/v1/customer-portal/members/${tenant.team.member.id}`,
    ok: 204,
  },
  {
    route: "POST /v1/customers/",
    guard: "api key",
    path: () => "/v1/customers/",
    body: () => ({
      type: "team",
      email: newAddress(),
      name: "New",
      external_id: crypto.randomUUID(),
      locale: "en",
      metadata: { key: "value" },
      billing_address: { line1: "1", line2: "2", postal_code: "3", city: "4", state: "CA", country: "US" },
      tax_id: ["911144442", "us_ein"],
      owner: { email: "owner@example.com", name: "Owner", external_id: "o" },
    }),
    ok: 201,
  },
  {
    route: "GET /v1/customers/",
    guard: "api key",
    path: ({ tenant }) =>
      `/v1/customers/?${new URLSearchParams({
        organization_id: tenant.id,
        email: tenant.individual.email,
        query: tenant.individual.externalId,
        active: "false",
        "metadata[key]": "value",
        sorting: "-name",
      })}`,
    ok: 200,
  },
  {
    route: "GET /v1/customers/export",
    guard: "api key",
    path: ({ tenant }) => `/v1/customers/export?organization_id=${tenant.id}`,
    ok: 200,
    contentType: "text/csv; charset=utf-8",
  },
  ...(
    [
      ["/v1/customers/external/:external_id{.+}", ({ tenant }) => `/v1/customers/external/${tenant.team.externalId}`],
      ["/v1/customers/:id", ({ tenant }) => `/v1/customers/${tenant.team.id}`],
    ] satisfies [string, Route["path"]][]
  ).flatMap(([route, path]): Route[] => [
    { route: `GET ${route}/state`, guard: "api key", path: (world) => `${path(world)}/state`, ok: 200, foreign: 404 },
    {
      route: `GET ${route}/payment-methods`,
      guard: "api key",
      path: (world) => `${path(world)}/payment-methods`,
      ok: 200,
      foreign: 404,
    },
    { route: `GET ${route}`, guard: "api key", path, ok: 200, foreign: 404 },
    {
      route: `PATCH ${route}`,
      guard: "api key",
      path,
      body: ({ tenant }) => ({
        email: `new-${crypto.randomUUID()}@example.com`,
        name: "New",
        locale: "en",
        metadata: { key: "value" },
        billing_address: { line1: "1", line2: "2", postal_code: "3", city: "4", state: "CA", country: "US" },
        tax_id: "911144442",
        ...(route.endsWith(":id") && { type: "team", external_id: tenant.team.externalId }),
      }),
      ok: 200,
      foreign: 404,
    },
    {
      route: `DELETE ${route}`,
      guard: "api key",
      path: (world) => `${path(world)}?anonymize=true`,
      ok: 204,
      foreign: 404,
    },
  ]),
  {
    route: "POST /v1/oauth2/introspect",
    guard: "api key",
    path: () => "/v1/oauth2/introspect",
    form: true,
    body: ({ session }) => ({ token: session.token, token_type_hint: "access_token" }),
    ok: 200,
  },
  {
    route: "POST /v1/oauth2/revoke",
    guard: "api key",
    path: () => "/v1/oauth2/revoke",
    form: true,
    body: ({ session }) => ({ token: session.token, token_type_hint: "access_token" }),
    ok: 200,
  },
  {
    route: "POST /v1/integrations/github/secret-scanning",
    guard: "signature",
    path: () => "/v1/integrations/github/secret-scanning",
    body: ({ tenant, session }) => [
      { token: session.token, type: "polar_member_session_token", url: "https://example.com/", source: "commit" },
      { token: tenant.apiKey, type: "polar_organization_access_token", url: "https://example.com/", source: "commit" },
    ],
    ok: 200,
  },
  { route: "GET /:slug/portal/", guard: "cookie", path: ({ tenant }) => `/${tenant.slug}/portal/`, ok: 200 },
  { route: "GET /:slug/portal", guard: "cookie", path: ({ tenant }) => `/${tenant.slug}/portal`, ok: 200 },
  {
    route: "POST /:slug/portal",
    guard: "link",
    path: ({ tenant }) => `/${tenant.slug}/portal`,
    body: ({ session }) => ({ code: session.code }),
    ok: 303,
  },
  {
    route: "GET /:slug/portal/sign-in",
    guard: "link",
    path: ({ tenant }) => `/${tenant.slug}/portal/sign-in?email=a%40example.com`,
    ok: 200,
  },
  {
    route: "POST /:slug/portal/sign-in",
    guard: "link",
    path: ({ tenant }) => `/${tenant.slug}/portal/sign-in`,
    body: ({ mailedLink }) => ({ code: mailedLink }),
    mailed: true,
    ok: 303,
  },
  {
    route: "POST /:slug/portal/sign-out",
    guard: "cookie",
    path: ({ tenant }) => `/${tenant.slug}/portal/sign-out`,
    ok: 303,
  },
  {
    route: "GET /:slug/portal/change-email",
    guard: "cookie",
    ...EMAIL_CHANGE,
    path: ({ tenant }) => `/${tenant.slug}/portal/change-email`,
    ok: 200,
  },
  {
    route: "POST /:slug/portal/change-email",
    guard: "cookie",
    ...EMAIL_CHANGE,
    path: ({ tenant }) => `/${tenant.slug}/portal/change-email`,
    body: () => ({ email: newAddress() }),
    ok: 200,
  },
  {
    route: "GET /:slug/portal/verify-email",
    guard: "link",
    ...EMAIL_CHANGE,
    path: ({ tenant, emailChange }) => `/${tenant.slug}/portal/verify-email?token=${emailChange}`,
    ok: 200,
  },
  {
    route: "POST /:slug/portal/verify-email",
    guard: "link",
    ...EMAIL_CHANGE,
    path: ({ tenant }) => `/${tenant.slug}/portal/verify-email`,
    body: ({ emailChange }) => ({ token: emailChange }),
    ok: 200,
  },
];

/** What answers every method: layers around the routes, and Polar's old path, which leads back to the routes above. */
export const LAYERS = ["ALL /*", "ALL /api/v1/*", "ALL /v1/*", "ALL /v1/b2b/*", "ALL /:slug/portal/*"];

export const isPage = ({ guard }: Route) => guard === "cookie" || guard === "link";
export const isForm = (route: Route) => isPage(route) || route.form === true;
/** GET stands for a route that serves every method. */
export const methodOf = ({ route }: Route) => (route.split(" ")[0] as string).replace("ALL", "GET");
export const API_ROUTES = ROUTES.filter((route) => !isPage(route));
/** What a call without any credential gets at the API. */
export const anonymousStatus = ({ guard }: Route) => (guard === "signature" ? 422 : 401);
/** Those that refuse whoever brings nothing. */
export const GUARDED_ROUTES = API_ROUTES.filter(({ guard }) => guard !== "anybody");
/** Those that everybody may call; what is dead is refused all the same. */
export const OPEN_ROUTES = API_ROUTES.filter(({ guard }) => guard === "anybody");

type Needs = Pick<Route, "settings" | "mailed" | "holder">;

export async function makeWorld({ settings, mailed, holder }: Needs, client: Client = makeClient()): Promise<World> {
  const [tenant, other] = [await makeTenant(settings), await makeTenant()];
  const emailChange = settings?.["allow_email_change"] === 1 ? (await askForChange(client, tenant)).change : "";
  const holderIn = ({ team, individual }: Tenant) =>
    holder === "individual" ? individual.owner : team[holder ?? "member"];
  const session = await makeLink(client, tenant, holderIn(tenant));
  const otherSession = await makeLink(client, other, holderIn(other));
  await client.settle();
  const mailedLink = mailed ? (await ask(client, tenant)).link : "";
  return { client, tenant, session, other, otherSession, mailedLink, emailChange };
}

/** The credential of whoever may. */
export const rightful = ({ guard }: Route, { tenant, session }: World) =>
  guard === "api key" ? tenant.apiKey : session.token;

export interface Changes {
  /** Another credential than the rightful one; null for none. */
  credential?: string | null;
  path?: string;
  body?: BodyInit | null;
  headers?: Record<string, string>;
  client?: Client;
}

/** The request that the route serves, but for the changes. */
export async function send(route: Route, world: World, changes: Changes = {}): Promise<Response> {
  const credential = changes.credential === undefined ? rightful(route, world) : changes.credential;
  const given = changes.body === undefined ? encode(route, world) : changes.body;
  const contentType = isForm(route) ? "application/x-www-form-urlencoded" : "application/json";
  const presented = isPage(route)
    ? { Cookie: cookieWith(credential ?? "") }
    : { Authorization: `Bearer ${credential}` };
  const isToBeSigned = route.guard === "signature" && changes.credential === undefined && given !== null;
  const [body, signature] = isToBeSigned ? await withSignature(given) : [given, null];
  return (changes.client ?? world.client).fetch(changes.path ?? route.path(world), {
    method: methodOf(route),
    headers: {
      ...(isPage(route) && { ...NAVIGATION, "Sec-Fetch-Site": "same-origin" }),
      ...(credential !== null && route.guard !== "link" && signature === null && presented),
      ...signature,
      ...(body !== null && { "Content-Type": contentType }),
      ...changes.headers,
    },
    ...(body !== null && { body }),
  });
}

async function withSignature(body: BodyInit): Promise<[BodyInit, Record<string, string>]> {
  const [sent, signed] = body instanceof ReadableStream ? body.tee() : [body, body];
  return [sent, await scanner.sign(await new Response(signed).arrayBuffer())];
}

export function encode(route: Route, world: World): string | null {
  const fields = route.body?.(world);
  if (fields === undefined) return null;
  return isForm(route) ? new URLSearchParams(fields as Record<string, string>).toString() : JSON.stringify(fields);
}

/** Everything in D1 that a request may change, but for the time of the last access. */
export async function stateOfD1(): Promise<Record<string, unknown> | null> {
  const tables = [
    "organizations",
    "api_keys",
    "customers",
    "members",
    "sessions",
    "portal_codes",
    "sign_in_codes",
    "email_changes",
  ];
  const counts = tables.map((table) => `(SELECT COUNT(*) FROM ${table}) AS ${table}`);
  const epochs = tables.slice(0, 4).filter((table) => table !== "api_keys");
  return env.DB.prepare(
    `SELECT ${counts.join(", ")},
      ${epochs.map((table) => `(SELECT SUM(session_epoch) FROM ${table}) AS ${table}_epochs`).join(", ")},
      (SELECT COUNT(*) FROM sessions WHERE revoked_at IS NOT NULL) AS revoked,
      (SELECT COUNT(*) FROM api_keys WHERE revoked_at IS NOT NULL) AS revoked_keys,
      (SELECT SUM(expires_at) FROM sessions) AS expiries,
      (SELECT GROUP_CONCAT(id || role || email || name || IFNULL(deleted_at, '')) FROM members) AS people,
      (SELECT COUNT(*) FROM portal_codes WHERE redeemed_at IS NOT NULL) AS redeemed,
      (SELECT COUNT(*) FROM sign_in_codes WHERE used_at IS NOT NULL) AS used,
      (SELECT SUM(attempts) FROM sign_in_codes) AS attempts,
      (SELECT GROUP_CONCAT(lookup_key || IFNULL(used_by, '')) FROM email_changes) AS changes,
      (SELECT GROUP_CONCAT(email || email_verified) FROM customers) AS addresses`,
  ).first();
}
