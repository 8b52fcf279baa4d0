/**
 * What a member sees when something cannot be done. An outage says so, asks to try again and leaves the cookie alone;
 * an unknown error shows nothing of itself.
 */

import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { routePath } from "hono/route";
import { LatchkeyError } from "../core/errors.ts";
import type { AppEnv } from "../http/env.ts";
import { RETRY_AFTER_SECONDS } from "../http/retry.ts";
import { MessagePage } from "./pages.tsx";
import { show } from "./show.tsx";

/** An unsafe request that did not come from our own pages. */
export class CrossSiteRequest extends Error {}

/** No organization has this slug, or its portal has no such page. */
export class UnknownPage extends Error {}

export function portalErrorPage(error: Error, c: Context<AppEnv>): Response | Promise<Response> {
  const { status, title, message, retryAfterSeconds } = describe(error);
  if (retryAfterSeconds !== undefined) c.header("Retry-After", String(retryAfterSeconds));
  if (status >= 500) c.var.services.log.error("request_failed", { method: c.req.method, route: routePath(c), error });
  return show(c, <MessagePage title={title} message={message} />, status);
}

interface Description {
  status: 403 | 404 | 413 | 429 | 500 | 503;
  title: string;
  message: string;
  retryAfterSeconds?: unknown;
}

function describe(error: Error): Description {
  if (error instanceof CrossSiteRequest) {
    const message =
      "For your safety this was not done, because another site asked for it. Please go back and try again.";
    return { status: 403, title: "Not done", message };
  }
  if (error instanceof UnknownPage) {
    return { status: 404, title: "Page not found", message: "There is no page at this address." };
  }
  if (error instanceof HTTPException && error.status === 413) {
    return { status: 413, title: "Too much data", message: "The form that was sent is too large." };
  }
  if (error instanceof LatchkeyError && error.code === "unavailable") {
    const message = "The portal cannot answer right now. Nobody has been signed out; please try again in a moment.";
    return { status: 503, title: "Please try again", message, retryAfterSeconds: RETRY_AFTER_SECONDS };
  }
  if (error instanceof LatchkeyError && error.code === "rate_limited") {
    const { retryAfterSeconds } = error.facts;
    const message = `Too many requests have come from you or from your network. Please try again ${inWords(Number(retryAfterSeconds))}.`;
    return { status: 429, title: "Please wait a moment", message, retryAfterSeconds };
  }
  return { status: 500, title: "Something went wrong", message: "The error has been recorded. Please try again." };
}

function inWords(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return minutes === 1 ? "in a minute" : `in ${minutes} minutes`;
}
