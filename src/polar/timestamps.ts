/**
 * RFC 3339 in UTC as Polar writes it: six fractional digits, or none at all when they are zero.
 */
export function timestamp(epochMilliseconds: number): string {
  const iso = new Date(epochMilliseconds).toISOString();
  return iso.endsWith(".000Z") ? iso.replace(".000Z", "Z") : iso.replace("Z", "000Z");
}

export const timestampOrNull = (epochMilliseconds: number | null) =>
  epochMilliseconds === null ? null : timestamp(epochMilliseconds);
