/**
 * What an isolate remembers for a while: bounded in time and in number, the oldest forgotten first.
 */

export interface ExpiringCache<Value> {
  get(key: string, now: number): Value | undefined;
  set(key: string, value: Value, now: number): void;
  clear(): void;
}

export function createExpiringCache<Value>(ttlMilliseconds: number, maxEntries: number): ExpiringCache<Value> {
  const entries = new Map<string, { value: Value; cachedAt: number }>();
  return {
    get(key, now) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      // A clock that has gone back proves nothing about how old an entry is.
      const age = now - entry.cachedAt;
      return age >= 0 && age < ttlMilliseconds ? entry.value : undefined;
    },

    set(key, value, now) {
      entries.delete(key);
      entries.set(key, { value, cachedAt: now });
      if (entries.size > maxEntries) entries.delete(entries.keys().next().value as string);
    },

    clear: () => entries.clear(),
  };
}
