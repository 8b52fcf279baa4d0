/** GitHub's secret scanning as the Worker meets it: a key of its own, the list that publishes it, and signed reports. */

import { expect } from "vitest";
import { concatBytes } from "../../src/crypto/bytes.ts";

const P256 = { name: "ECDSA", namedCurve: "P-256" };

export interface Scanner {
  /** Name of its key. */
  keyIdentifier: string;
  /** Its public key. */
  pem: string;
  /** @returns the headers that go with this body. */
  sign(body: BufferSource): Promise<Record<string, string>>;
}

export async function makeScanner(): Promise<Scanner> {
  const { privateKey, publicKey } = (await crypto.subtle.generateKey(P256, true, ["sign", "verify"])) as CryptoKeyPair;
  const spki = (await crypto.subtle.exportKey("spki", publicKey)) as ArrayBuffer;
  const keyIdentifier = crypto.randomUUID();
  return {
    keyIdentifier,
    pem: `-----BEGIN PUBLIC KEY-----\n${base64(new Uint8Array(spki))}\n-----END PUBLIC KEY-----\n`,
    async sign(body) {
      const numbers = new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, body));
      return {
        "Github-Public-Key-Identifier": keyIdentifier,
        "Github-Public-Key-Signature": base64(toDer(numbers)),
      };
    },
  };
}

/** The one whose key is published wherever a test does not say otherwise. */
export const scanner = await makeScanner();

export const keyList = (...scanners: Scanner[]) => ({
  public_keys: scanners.map(({ keyIdentifier, pem }) => ({
    key_identifier: keyIdentifier,
    key: pem,
    is_current: true,
  })),
});

/** GitHub's answer. Nothing else is ever asked for, and in this form only. */
export async function publishedKeys(url: string, init: RequestInit): Promise<Response> {
  expect(url).toBe("https://api.github.com/meta/public_keys/secret_scanning");
  expect(new Headers(init.headers).get("User-Agent")).toBe("latchkey");
  expect(init.redirect).toBe("manual");
  return Response.json(keyList(scanner));
}

function toDer(numbers: Uint8Array): Uint8Array {
  const integers = [numbers.subarray(0, 32), numbers.subarray(32)].map((number) => {
    const digits = number.subarray(number.findIndex((byte) => byte !== 0));
    const positive = (digits[0] as number) >= 0x80 ? concatBytes(Uint8Array.of(0), digits) : digits;
    return concatBytes(Uint8Array.of(0x02, positive.length), positive);
  });
  const content = concatBytes(...integers);
  return concatBytes(Uint8Array.of(0x30, content.length), content);
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
