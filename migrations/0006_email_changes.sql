-- E-mail addresses on their way in: asked for by whoever is signed in, confirmed by whoever reads the new address.

CREATE TABLE email_changes (
  lookup_key TEXT NOT NULL PRIMARY KEY,
  -- Name of the token key that signed the token in the link; a key with live rows may not be retired.
  token_key TEXT NOT NULL,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  -- One at a time: asking again takes the place of what was asked before.
  customer_id TEXT NOT NULL UNIQUE REFERENCES customers (id),
  member_id TEXT REFERENCES members (id),
  -- Those of the session that asked: what ends all sessions of its member, customer or organization ends this too.
  organization_epoch INTEGER NOT NULL,
  customer_epoch INTEGER NOT NULL,
  member_epoch INTEGER,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- The session that it was traded for.
  used_by TEXT
) STRICT, WITHOUT ROWID;
-- Whether a token key is still in use, and clean-up.
CREATE INDEX email_changes_by_expiry ON email_changes (expires_at);
