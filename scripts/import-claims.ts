/**
 * Who has what only one may have: an e-mail address, an external id. A claim comes from a row of the database or from
 * a line of a file, and whoever comes second is told of the first.
 */

export interface Holder {
  id: string;
  /** In words for the second. */
  who: string;
  isThere: boolean;
}

export interface Unique {
  emailKey: string | null;
  externalId: string | null;
}

/** @param of what the API calls those whose claims these are, in its words for a clash. */
export function createClaims(of: { email: string; externalId: string }) {
  const byEmail = new Map<string, Holder>();
  const byExternalId = new Map<string, Holder>();
  // No id holds a blank.
  const key = (scope: string, value: string) => `${scope} ${value}`;

  const holders = (scope: string, { emailKey, externalId }: Unique) => ({
    email: emailKey === null ? undefined : byEmail.get(key(scope, emailKey)),
    externalId: externalId === null ? undefined : byExternalId.get(key(scope, externalId)),
  });

  return {
    holders,

    /** @param scope within which it must be unique: a customer's id, or "" for the whole organization. */
    claim(scope: string, { emailKey, externalId }: Unique, holder: Holder): void {
      if (emailKey !== null) byEmail.set(key(scope, emailKey), holder);
      if (externalId !== null) byExternalId.set(key(scope, externalId), holder);
    },

    faults(scope: string, wanted: Unique): string[] {
      const { email, externalId } = holders(scope, wanted);
      return [
        ...(email ? [`email: ${of.email}: ${email.who}`] : []),
        ...(externalId ? [`external_id: ${of.externalId}: ${externalId.who}`] : []),
      ];
    },
  };
}

/** An id is never given out twice. */
export const SPENT_ID = "id: This ID is taken: by somebody who was deleted, or in another organization";
