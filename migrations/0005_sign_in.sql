-- Codes that a member asks for and gets by e-mail. One row stands for one message, which holds the code twice: as the
-- credential of a link, and short, to be typed. Neither is stored; expires_at says when a row may be deleted.

CREATE TABLE sign_in_codes (
  -- Of the link's credential (src/core/credentials.ts).
  lookup_key TEXT NOT NULL PRIMARY KEY,
  token_key TEXT NOT NULL,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  -- The address that the message went to, folded: what the code proves, and all that it proves.
  email_key TEXT NOT NULL,
  -- As the request named it, or NULL: then whoever proves the address chooses.
  customer_id TEXT,
  -- HMAC of the typed code, bound to organization and address (src/core/typed-codes.ts).
  typed_mac TEXT NOT NULL,
  -- How often the typed code was guessed wrong. The link needs no such count: it cannot be guessed.
  attempts INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  -- The session that was made of it. No reference: the session may be cleaned up first.
  used_by TEXT,
  CHECK ((used_at IS NULL) = (used_by IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_codes_of_address ON sign_in_codes (organization_id, email_key);
-- Whether a token key is still in use, and clean-up.
CREATE INDEX sign_in_codes_by_expiry ON sign_in_codes (expires_at, token_key);
