/**
 * What the sweeps have to know of each way in which the Worker is talked to: how a credential is shown, how a refusal
 * looks, which status means what. What differs by dialect differs here, and nowhere in the sweeps.
 */

import { FORWARD_AUTH, POLAR, PORTAL } from "./polar-dialect.ts";
import type { Route, World } from "./routes.ts";
import { STYTCH } from "./stytch-dialect.ts";
import type { Place } from "./text-fields.ts";

export interface Dialect {
  /** Of every request. */
  headers: Record<string, string>;
  /** Headers that show a credential. */
  show(credential: string, world: World): Record<string, string>;
  /** Headers that show the same one in ways that do not count. */
  misshow(credential: string, world: World): Record<string, string>[];

  maxBodyBytes: number;
  /** JSON of any content type is read, no body counts as an empty object, and null as a field that is not there. */
  isLenient: boolean;
  /** Status of a body that cannot be understood. */
  malformed: number;
  /** Statuses of a body that is understood, and asks for what cannot be or names what is not there. */
  unfit(route: Route): number[];
  /** Whether a field may have this value as well, which is not of the type or the size of the valid one. */
  tolerates(route: Route, name: string, value: unknown, valid: unknown): boolean;

  /** Holds an answer to whoever may to the form of the dialect. */
  expectServed(response: Response, text: string, route: Route): void;
  /** Holds a refusal to the form of the dialect. @returns what it says. */
  expectRefusal(response: Response, text: string): unknown;
  /** Holds to it what is said to a caller who has made too many calls. */
  expectTooMany(response: Response, text: string): void;
  /** What a refusal says of a credential that is nobody's. */
  nobody: object;
  /** The challenge of a refusal for want of a credential, in the header of that name. */
  challenge: RegExp;
  /** What it says of an error that was not foreseen. */
  unforeseen: object;
  /** The scopes that would have been enough. */
  wantedScopes(refused: Response, route: Route): string[];
  /** The places in a body of which a refusal tells; none where it does not say. */
  blamed(places: Place[], refusal: unknown, status: number): Place[];
  /** A refusal without what is another in each, so that two can be compared. */
  comparable(text: string): string;
}

export function dialectOf({ route, guard }: Pick<Route, "route" | "guard">): Dialect {
  if (guard === "cookie" || guard === "link") return PORTAL;
  if (route === "ALL /v1/forward-auth") return FORWARD_AUTH;
  return route.includes(" /v1/b2b/") ? STYTCH : POLAR;
}
