/** The world as the Worker asks it, where a test does not bring one of its own: GitHub's keys, and one UserInfo endpoint. */

import type { Fetch } from "../../src/outbound.ts";
import { publishedKeys } from "./scanner.ts";

export const USERINFO = "https://id.example.com/userinfo";

/** Whose the token is, it says itself. */
export const theWorld: Fetch = async (url, init) => {
  if (url !== USERINFO) return publishedKeys(url, init);
  const email = new Headers(init.headers).get("Authorization")?.replace("Bearer ", "");
  return Response.json({ sub: "someone", email });
};
