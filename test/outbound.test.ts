/** Calling out: what is asked and how, which answers count, and what becomes of the rest. */

import { describe, expect, test } from "vitest";
import { createOutbound, type Fetch } from "../src/outbound.ts";

const URL_OF_KEYS = "https://id.example.com/keys";
const ask = (answer: Fetch, url = URL_OF_KEYS) => createOutbound(answer, false).getJson(url);
const answering =
  (response: () => Response): Fetch =>
  async () =>
    response();

test("asks once for JSON at the address, says who it is, and follows no redirect", async () => {
  const asked: [string, RequestInit][] = [];
  const fetch: Fetch = async (...call) => {
    asked.push(call);
    return Response.json({ keys: [] });
  };
  const outside = createOutbound(fetch, false);
  expect(await outside.getJson("https://ID.example.com:443/keys", { Authorization: "Bearer x" })).toEqual({ keys: [] });
  expect(asked).toHaveLength(1);
  const [[url, init]] = asked as [[string, RequestInit]];
  expect(url).toBe(URL_OF_KEYS);
  expect(init.headers).toEqual({ Accept: "application/json", "User-Agent": "latchkey", Authorization: "Bearer x" });
  expect(init.redirect).toBe("manual");
  expect(init.method).toBeUndefined();
  expect(init.body).toBeUndefined();
});

test("an address that is not called is not asked", async () => {
  const never: Fetch = async () => {
    throw new Error("was asked");
  };
  for (const url of ["https://169.254.169.254/latest/meta-data", "http://id.example.com/", "https://a@b.example/"]) {
    await expect(ask(never, url)).rejects.toMatchObject({ code: "outside_url_refused" });
  }
  await expect(ask(never, "http://localhost:1/")).rejects.toMatchObject({ code: "outside_url_refused" });
  const local = createOutbound(
    answering(() => Response.json(1)),
    true,
  );
  expect(await local.getJson("http://localhost:1/")).toBe(1);
});

describe("an answer is unusable", () => {
  test.each<[string, () => Response]>([
    ["that leads elsewhere", () => Response.redirect("https://id.example.com/other", 302)],
    ["that leads to an inner address", () => Response.redirect("http://169.254.169.254/", 307)],
    ["that refuses", () => Response.json({ keys: [] }, { status: 401 })],
    ["that has failed", () => Response.json({ keys: [] }, { status: 500 })],
    ["that was only accepted", () => Response.json({ keys: [] }, { status: 202 })],
    ["that is empty", () => new Response(null, { status: 204 })],
    ["that is an empty text", () => new Response("")],
    ["that is HTML", () => new Response("<html>")],
    ["that is half JSON", () => new Response('{"keys":[')],
    ["that is a byte too long", () => new Response(`"${"x".repeat(65_535)}"`)],
  ])("%s", async (_, answer) => {
    await expect(ask(answering(answer))).rejects.toMatchObject({ code: "outside_answer_unusable" });
  });

  test("and the rest of one that never ends is not read", async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 16_384;
        controller.enqueue(new Uint8Array(16_384).fill(32));
      },
    });
    await expect(ask(answering(() => new Response(endless)))).rejects.toMatchObject({
      code: "outside_answer_unusable",
    });
    expect(sent).toBeLessThanOrEqual(8 * 16_384);
  });
});

test("an answer of just 64 KiB is taken, with what its bytes spell across pieces", async () => {
  const text = `"${"x".repeat(65_530)}é!!"`;
  const bytes = new TextEncoder().encode(text);
  expect(bytes.length).toBe(65_536);
  const pieces = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes.subarray(0, 65_532));
      controller.enqueue(bytes.subarray(65_532));
      controller.close();
    },
  });
  expect(await ask(answering(() => new Response(pieces)))).toBe(JSON.parse(text));
});

describe("it is an outage, with its cause for the log,", () => {
  test("when there is no connection", async () => {
    const broken: Fetch = () => Promise.reject(new Error("Network connection lost."));
    await expect(ask(broken)).rejects.toMatchObject({
      code: "unavailable",
      cause: { message: "Network connection lost." },
    });
  });

  test("when nobody answers for three seconds", async () => {
    const silent: Fetch = (_, { signal }) =>
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    const startedAt = performance.now();
    await expect(ask(silent)).rejects.toMatchObject({ code: "unavailable" });
    expect(performance.now() - startedAt).toBeGreaterThan(2900);
    expect(performance.now() - startedAt).toBeLessThan(4500);
  });

  test("when the connection breaks in the middle of an answer", async () => {
    const breaking = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("{"));
        controller.error(new Error("Network connection lost."));
      },
    });
    await expect(ask(answering(() => new Response(breaking)))).rejects.toMatchObject({ code: "unavailable" });
  });
});
