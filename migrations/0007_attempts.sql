-- Attempts at signing in by e-mail and at changing an address, counted exactly (src/storage/attempts.ts).

CREATE TABLE attempts (
  -- Hex of an HMAC over who is counted and for what: neither an address nor a mailbox stands here.
  lookup_key TEXT NOT NULL PRIMARY KEY,
  -- JSON array of the latest attempts that were let through, newest last.
  times TEXT NOT NULL CHECK (json_type(times) = 'array'),
  -- Until then every attempt is refused; 0 for never.
  blocked_until INTEGER NOT NULL,
  -- From then on the row says nothing any more.
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_by_expiry ON attempts (expires_at);
