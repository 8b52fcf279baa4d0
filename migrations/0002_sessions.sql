-- Sessions and the single-use codes of their portal links.
-- A session lives while: not revoked, not expired, its parents not deleted, and its three epochs equal to theirs.
-- That rule stands once, in src/storage/live-sessions.ts.

CREATE TABLE sessions (
  lookup_key TEXT NOT NULL PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  -- Name of the token key that signed the token; a key with live rows may not be retired.
  token_key TEXT NOT NULL,
  -- AES-256-GCM of the token; opened only when a portal code is redeemed.
  token_sealed TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('member', 'customer')),
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  customer_id TEXT NOT NULL REFERENCES customers (id),
  member_id TEXT REFERENCES members (id),
  organization_epoch INTEGER NOT NULL,
  customer_epoch INTEGER NOT NULL,
  member_epoch INTEGER,
  return_url TEXT,
  created_at INTEGER NOT NULL,
  modified_at INTEGER,
  expires_at INTEGER NOT NULL,
  absolute_expires_at INTEGER NOT NULL,
  last_accessed_at INTEGER,
  revoked_at INTEGER,
  CHECK ((kind = 'member') = (member_id IS NOT NULL)),
  CHECK ((member_id IS NULL) = (member_epoch IS NULL)),
  CHECK (expires_at <= absolute_expires_at)
) STRICT, WITHOUT ROWID;
-- Lists and the cap; expires_at keeps a member's expired sessions out of the walk.
CREATE INDEX sessions_of_member ON sessions (customer_id, member_id, expires_at) WHERE revoked_at IS NULL;
-- Whether a token key is still in use, and clean-up.
CREATE INDEX sessions_by_expiry ON sessions (expires_at, token_key);

CREATE TABLE portal_codes (
  lookup_key TEXT NOT NULL PRIMARY KEY,
  token_key TEXT NOT NULL,
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  -- Who may redeem it: the browser that lands here, or the organization's backend with its API key.
  door TEXT NOT NULL CHECK (door IN ('browser', 'backend')),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  redeemed_at INTEGER,
  -- The request that redeemed it: an answer lost after the commit can be read back by the same request, no other.
  redeemed_by TEXT,
  CHECK ((redeemed_at IS NULL) = (redeemed_by IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX portal_codes_of_session ON portal_codes (session_id);
