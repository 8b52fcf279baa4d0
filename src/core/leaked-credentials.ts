/**
 * Credentials that somebody found where all the world can read them. A report counts only if its reporter has signed
 * it; then whatever in it is ours is ended, whoever it belongs to, and logged by its ids.
 */

import { fromBase64 } from "../crypto/bytes.ts";
import { verifyEcdsa } from "../crypto/ecdsa.ts";
import type { CredentialKind, Credentials } from "./credentials.ts";
import type { EndedCredential, Log, ReporterKeys } from "./ports.ts";

const EVENT = "leaked_credential_revoked";

type Revoke = (lookupKeys: string[]) => Promise<EndedCredential[]>;

interface Dependencies {
  credentials: Credentials;
  reporterKeys: ReporterKeys;
  revokeSessions: Revoke;
  revokeApiKeys: Revoke;
  log: Log;
}

export type LeakedCredentials = ReturnType<typeof createLeakedCredentials>;

export function createLeakedCredentials(dependencies: Dependencies) {
  const { credentials, reporterKeys, revokeSessions, revokeApiKeys, log } = dependencies;

  return {
    /**
     * Whether the reporter's key of this name has signed the report.
     * @param signature DER in base64
     * @throws {LatchkeyError} unavailable
     */
    async verifyReport(report: ArrayBuffer, keyName: string, signature: string) {
      const key = await reporterKeys.find(keyName);
      if (key === null) return "unknown_key";
      const der = fromBase64(signature);
      return der !== null && (await verifyEcdsa(key, der, report)) ? "signed" : "not_signed";
    },

    /**
     * Ends the sessions and API keys among these tokens, in one statement of each kind whatever their number. Portal
     * codes are left alone: they are spent or expired within minutes. May safely happen twice.
     * @returns for each token whether we know it, dead or alive before.
     * @throws {LatchkeyError} unavailable: some may live on
     */
    async end(tokens: string[]): Promise<boolean[]> {
      const found = await Promise.all(tokens.map(credentials.verify));
      const endAll = async (revoke: Revoke, ...kinds: CredentialKind[]) => {
        const keys = found.flatMap((credential) =>
          credential !== null && kinds.includes(credential.kind) ? [credential.lookupKey] : [],
        );
        return keys.length === 0 ? [] : revoke(keys);
      };
      const [sessions, apiKeys] = await Promise.all([
        endAll(revokeSessions, "mst", "cst"),
        endAll(revokeApiKeys, "oat"),
      ]);
      for (const { id, organizationId } of sessions) log.warn(EVENT, { sessionId: id, organizationId });
      for (const { id, organizationId } of apiKeys) log.warn(EVENT, { apiKeyId: id, organizationId });
      const known = new Set([...sessions, ...apiKeys].map(({ lookupKey }) => lookupKey));
      return found.map((credential) => credential !== null && known.has(credential.lookupKey));
    },
  };
}
