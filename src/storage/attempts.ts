/**
 * Attempts at what can be guessed or can flood a mailbox, counted exactly, over all locations, in D1: 6 in a minute and
 * 12 in an hour, and whoever wants more is shut out for a quarter of an hour. While D1 is away there are no attempts.
 */

import { LatchkeyError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import type { Pseudonymize } from "../core/pseudonyms.ts";
import type { Database } from "./database.ts";

const PER_MINUTE = 6;
const PER_HOUR = 12;
const BLOCK_MS = 900_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What shares one count: asking for a code and entering it, or all of an e-mail change. */
export type AttemptZone = "sign_in" | "email_change";

/** Who makes the attempt, or whom it troubles. */
export type AttemptSubject =
  /** As `clientNetwork` names it. */
  | readonly ["network", network: string]
  | readonly ["mailbox", organizationId: string, emailKey: string, ...customerId: [string] | []]
  /** The member, or the customer, whose session it is. */
  | readonly ["holder", id: string];

export interface Attempts {
  /**
   * Takes one attempt from every subject, or from none. To be called before anything is looked up, so that the answer
   * tells nothing about what would have been found.
   * @throws {LatchkeyError} rate_limited: one of them is shut out, or is from now on; unavailable
   */
  take(zone: AttemptZone, ...subjects: AttemptSubject[]): Promise<void>;
}

const THESE = "lookup_key IN (SELECT value FROM json_each(?2))";

/** `times` holds the latest PER_HOUR attempts, newest last: only two of them say whether there is room for another. */
const SHUT_OUT = `UPDATE attempts SET blocked_until = ?1 + ${BLOCK_MS}, expires_at = MAX(expires_at, ?1 + ${BLOCK_MS})
  WHERE ${THESE} AND blocked_until <= ?1
    AND (times ->> '$[#-${PER_MINUTE}]' > ?1 - ${MINUTE_MS} OR times ->> '$[#-${PER_HOUR}]' > ?1 - ${HOUR_MS})`;

const TAKE = `INSERT INTO attempts (lookup_key, times, blocked_until, expires_at)
  SELECT value, json_array(?1), 0, ?1 + ${HOUR_MS} FROM json_each(?2)
  WHERE NOT EXISTS (SELECT 1 FROM attempts WHERE ${THESE} AND blocked_until > ?1)
  ON CONFLICT (lookup_key) DO UPDATE SET expires_at = excluded.expires_at,
    times = json_remove(json_insert(times, '$[#]', ?1), '$[#-${PER_HOUR + 1}]')`;

const SELECT_BLOCK = `SELECT MAX(blocked_until) AS blocked_until FROM attempts WHERE ${THESE} AND blocked_until > ?1`;

export function createAttempts(database: Database, pseudonymize: Pseudonymize, clock: Clock): Attempts {
  return {
    async take(zone, ...subjects) {
      const now = clock.now();
      const keys = JSON.stringify(await Promise.all(subjects.map((subject) => pseudonymize(zone, ...subject))));
      // Not repeated when its outcome is in doubt: an attempt that was perhaps taken is not given, and never given twice.
      const results = await database.transact([SHUT_OUT, now, keys], [TAKE, now, keys], [SELECT_BLOCK, now, keys]);
      const [{ blocked_until }] = results[2] as [{ blocked_until: number | null }];
      if (blocked_until === null) return;
      const facts = { retryAfterSeconds: Math.ceil((blocked_until - now) / 1000) };
      throw new LatchkeyError("rate_limited", { facts });
    },
  };
}
