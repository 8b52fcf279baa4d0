/**
 * Every route of the application, with what it takes to be served: the table that the sweeps of this folder walk. A
 * route that is registered and missing here fails the first of them.
 */

import { env } from "cloudflare:workers";
import type { Scope } from "../../src/core/api-keys.ts";
import type { Factor } from "../../src/core/factors.ts";
import { jwtOf } from "../stytch/support.ts";
import { type Client, makeClient } from "../support/client.ts";
import { askForChange } from "../support/email-change.ts";
import { makeTenant, type Person, type Tenant } from "../support/fixtures.ts";
import { type Link, makeLink, update } from "../support/portal.ts";
import { scanner } from "../support/scanner.ts";
import { ask } from "../support/sign-in.ts";
import { dialectOf } from "./dialects.ts";
import { POLAR_ROUTES } from "./polar-routes.ts";
import { STYTCH_ROUTES } from "./stytch-routes.ts";

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
  /** A JWT of the session, where the route needs one. */
  jwt: string;
}

export interface Route {
  /** As the application registers it. */
  route: string;
  /**
   * Who may call it. "anybody": also without a credential, but not with a dead one. "public": nobody looks at the
   * credential. "signature": whoever has signed the body.
   */
  guard: "api key" | "session" | "anybody" | "public" | "cookie" | "link" | "signature";
  /** Each of which is enough, where the refusal of a key without them does not name them. */
  scopes?: Scope[];
  /** Whether a backend may call it in the name of a member, whose session it shows beside its own credentials. */
  inMembersName?: true;
  /** Whose session it takes, where a plain member's of the team is not enough. */
  holder?: "owner" | "individual";
  path(world: World): string;
  /** The fullest valid body. */
  body?(world: World): Record<string, unknown> | Record<string, unknown>[];
  /** Fields of the body that take one of a few words only, so that they need not see every text. */
  wordFields?: readonly string[];
  /** The body is a form, as it always is in the portal. */
  form?: true;
  /** An object without fields is a valid body too. */
  mayBeEmpty?: true;
  /** Status for whoever may. */
  ok: number;
  /** Of that answer, where it is not the dialect's. */
  contentType?: string;
  cacheControl?: string;
  /** The part of that answer that has the names and the places of the body, where it is not the whole. */
  // biome-ignore lint/suspicious/noExplicitAny: wire JSON.
  shows?(answer: any): unknown;
  /** Status for another organization's API key; none where the route knows the caller's own things only. */
  foreign?: number;
  /** Whether it takes a link that was mailed to the member. */
  mailed?: true;
  /** Whether its session must have proved the member's address. */
  proves?: true;
  /** Whether it takes a JWT of the session. */
  jwt?: true;
  /** Columns of the organization that the route needs. */
  settings?: Record<string, string | number | null>;
  /** What else there must be, before there is a session. */
  prepare?(tenant: Tenant): Promise<void>;
  /** What it can do without, for a caller that it knows: D1, or all storage. */
  survives?: "D1" | "D1 and KV";
  /** Nobody's calls are too many. */
  unlimited?: true;
}

export const ROUTES: Route[] = [...POLAR_ROUTES, ...STYTCH_ROUTES];

/** What answers every method: layers around the routes, and Polar's old path, which leads back to the routes above. */
export const LAYERS = ["ALL /*", "ALL /api/v1/*", "ALL /v1/*", "ALL /v1/b2b/*", "ALL /:slug/portal/*"];

export const isPage = ({ guard }: Route) => guard === "cookie" || guard === "link";
export const isForm = (route: Route) => isPage(route) || route.form === true;
/** GET stands for a route that serves every method. */
export const methodOf = ({ route }: Route) => (route.split(" ")[0] as string).replace("ALL", "GET");
/** Polar's changes may all be empty. */
export const mayBeEmpty = (route: Route) => route.mayBeEmpty ?? methodOf(route) === "PATCH";
export const API_ROUTES = ROUTES.filter((route) => !isPage(route));
/** What a call without any credential gets at the API. */
export const anonymousStatus = ({ guard }: Route) => (guard === "signature" ? 422 : 401);
/** Those that refuse whoever brings nothing. */
export const GUARDED_ROUTES = API_ROUTES.filter(({ guard }) => guard !== "anybody" && guard !== "public");
/** Those that everybody may call; what is dead is refused all the same. */
export const OPEN_ROUTES = API_ROUTES.filter(({ guard }) => guard === "anybody");
export const PUBLIC_ROUTES = API_ROUTES.filter(({ guard }) => guard === "public");

type Needs = Pick<Route, "settings" | "mailed" | "holder" | "prepare" | "proves" | "jwt">;

export async function makeWorld(needs: Needs, client: Client = makeClient()): Promise<World> {
  const { settings, mailed, holder } = needs;
  const [tenant, other] = [await makeTenant(settings), await makeTenant()];
  await needs.prepare?.(tenant);
  const emailChange = settings?.["allow_email_change"] === 1 ? (await askForChange(client, tenant)).change : "";
  const holderIn = ({ team, individual }: Tenant) =>
    holder === "individual" ? individual.owner : team[holder ?? "member"];
  const session = await makeLink(client, tenant, holderIn(tenant));
  const otherSession = await makeLink(client, other, holderIn(other));
  if (needs.proves) await proveAddress(session, holderIn(tenant), client);
  const jwt = needs.jwt ? await jwtOf(client, tenant, session.token) : "";
  await client.settle();
  const mailedLink = mailed ? (await ask(client, tenant)).link : "";
  return { client, tenant, session, other, otherSession, mailedLink, emailChange, jwt };
}

/** As if the member had come by a link in its mail. */
function proveAddress({ sessionId }: Link, { email }: Person, { clock }: Client): Promise<void> {
  const factors: Factor[] = [{ kind: "mailed_link", email, at: clock.now() }];
  return update("sessions", sessionId, { factors: JSON.stringify(factors) });
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
  const dialect = dialectOf(route);
  const credential = changes.credential === undefined ? rightful(route, world) : changes.credential;
  const given = changes.body === undefined ? encode(route, world) : changes.body;
  const contentType = isForm(route) ? "application/x-www-form-urlencoded" : "application/json";
  const isToBeSigned = route.guard === "signature" && changes.credential === undefined && given !== null;
  const [body, signature] = isToBeSigned ? await withSignature(given) : [given, null];
  return (changes.client ?? world.client).fetch(changes.path ?? route.path(world), {
    method: methodOf(route),
    headers: {
      ...dialect.headers,
      ...(credential !== null && route.guard !== "link" && signature === null && dialect.show(credential, world)),
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
    "trusted_issuers",
    "spent_tokens",
    "impersonations",
  ];
  const counts = tables.map((table) => `(SELECT COUNT(*) FROM ${table}) AS ${table}`);
  const epochs = tables.slice(0, 4).filter((table) => table !== "api_keys");
  return env.DB.prepare(
    `SELECT ${counts.join(", ")},
      ${epochs.map((table) => `(SELECT SUM(session_epoch) FROM ${table}) AS ${table}_epochs`).join(", ")},
      (SELECT COUNT(*) FROM sessions WHERE revoked_at IS NOT NULL) AS revoked,
      (SELECT COUNT(*) FROM api_keys WHERE revoked_at IS NOT NULL) AS revoked_keys,
      (SELECT SUM(expires_at) FROM sessions) AS expiries,
      (SELECT SUM(LENGTH(custom_claims || factors)) FROM sessions) AS claims,
      (SELECT SUM(LENGTH(status || assigned_roles || trusted_metadata || untrusted_metadata || sign_in_settings
        || retired_emails))
        + SUM(email_verified) FROM members) AS facts,
      (SELECT SUM(LENGTH(name || IFNULL(slug, '') || IFNULL(external_id, '') || trusted_metadata || rbac_roles || domain_roles
        || sign_in_settings || IFNULL(deleted_at, ''))) FROM customers) AS customer_facts,
      (SELECT COUNT(*) FROM impersonations WHERE used_by IS NOT NULL) AS impersonated,
      (SELECT GROUP_CONCAT(id || role || email || name || IFNULL(deleted_at, '')) FROM members) AS people,
      (SELECT COUNT(*) FROM portal_codes WHERE redeemed_at IS NOT NULL) AS redeemed,
      (SELECT COUNT(*) FROM sign_in_codes WHERE used_at IS NOT NULL) AS used,
      (SELECT SUM(attempts) FROM sign_in_codes) AS attempts,
      (SELECT GROUP_CONCAT(lookup_key || IFNULL(used_by, '')) FROM email_changes) AS changes,
      (SELECT GROUP_CONCAT(email || email_verified) FROM customers) AS addresses`,
  ).first();
}
