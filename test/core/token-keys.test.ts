/** The secret that holds the token keys: what is taken, what is refused, and that no message shows any of it. */

import { describe, expect, test } from "vitest";
import { randomBytes, toBase64Url } from "../../src/crypto/bytes.ts";
import { importTokenKeys, parseTokenKeys } from "../../src/crypto/token-keys.ts";

const key = () => toBase64Url(randomBytes(32));

describe("the token keys", () => {
  test("are read in order, with their names", () => {
    const [first, second] = [key(), key()];
    const keys = parseTokenKeys(`a:${first}, 7:${second}`);
    expect(keys.map(({ name, bytes }) => [name, toBase64Url(bytes)])).toEqual([
      ["a", first],
      ["7", second],
    ]);
    const ring = importTokenKeys(keys);
    expect(ring.signing.name).toBe("a");
    expect(ring.find("7")?.name).toBe("7");
    expect(ring.find("b")).toBeUndefined();
  });

  test("may be longer than 32 bytes", () => {
    expect(parseTokenKeys(`a:${toBase64Url(randomBytes(64))}`)[0]?.bytes).toHaveLength(64);
  });

  test("can not be taken out of the runtime again", async () => {
    const { signing } = importTokenKeys(parseTokenKeys(`a:${key()}`));
    for (const imported of [await signing.mac, await signing.seal]) {
      expect(imported.extractable).toBe(false);
      await expect(crypto.subtle.exportKey("raw", imported)).rejects.toThrow();
    }
    expect((await signing.mac).usages).toEqual(["sign"]);
  });

  const good = key();
  const twins = key();
  test.each([
    ["missing", "", "is missing"],
    ["blank", " \n", "is missing"],
    ["without a name", good, "key 1 is not of the form"],
    ["with a name of two letters", `ab:${good}`, "key 1 is not of the form"],
    ["with a name that is no letter or digit", `_:${good}`, "key 1 is not of the form"],
    ["in another encoding", `a:${btoa("\u00ff".repeat(32))}`, "key 1 is not of the form"],
    ["with a second one missing", `a:${good},`, "key 2 is not of the form"],
    ["with a second one malformed", `a:${good},b:${twins}!`, "key 2 is not of the form"],
    ["of impossible length", `a:${good}AA`, "key 1 is not of the form"],
    ["too short", `a:${toBase64Url(randomBytes(31))}`, 'key "a" is shorter than 32 bytes'],
    ["all zero", `a:${toBase64Url(new Uint8Array(32))}`, 'key "a" is an example'],
    ["a pattern", `a:${toBase64Url(new Uint8Array(64).map((_, index) => index % 16))}`, 'key "a" is an example'],
    ["a phrase", `a:${btoa("change me ".repeat(6)).replaceAll("=", "")}`, 'key "a" is an example'],
    ["two of one name", `a:${good},a:${twins}`, "two keys have the same name"],
  ])("are refused when %s, and the message shows nothing of them", (_, secret, message) => {
    const refusal = () => parseTokenKeys(secret);
    expect(refusal).toThrow(message);
    for (const material of secret.split(/[:,]/).filter((part) => part.length > 8)) {
      expect(refusal).not.toThrow(material.slice(0, 8));
    }
  });
});
