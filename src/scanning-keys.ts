/**
 * The public keys of GitHub's secret scanning, in the form in which it publishes them.
 */

import * as z from "zod/mini";
import { LatchkeyError } from "./core/errors.ts";
import type { ReporterKeys } from "./core/ports.ts";
import { importEcdsaKey } from "./crypto/ecdsa.ts";
import { createPublishedKeys, type Surroundings } from "./published-keys.ts";

/** GitHub counts those who ask; its keys change once in years. */
const BELIEVED_MS = 3_600_000;

const KeyList = z.object({ public_keys: z.array(z.object({ key_identifier: z.string(), key: z.string() })) });

/** PEM by key identifier. */
export type ScanningKeys = ReadonlyMap<string, string>;

export function createScanningKeys(url: string, surroundings: Surroundings<ScanningKeys>): ReporterKeys {
  const published = createPublishedKeys<ScanningKeys>({ parse, believedMs: BELIEVED_MS }, surroundings);
  return {
    async find(name) {
      const pem = (await published.read(url, (keys) => keys.has(name))).get(name);
      if (pem === undefined) return null;
      try {
        return await importEcdsaKey(pem);
      } catch (cause) {
        throw new LatchkeyError("unavailable", { reason: "a public key of secret scanning", cause });
      }
    },
  };
}

function parse(json: unknown): ScanningKeys {
  return new Map(KeyList.parse(json).public_keys.map(({ key_identifier, key }) => [key_identifier, key]));
}
