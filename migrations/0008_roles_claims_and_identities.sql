-- Roles and settings of customers and members, what a session claims and how it came to be, and the outside identities
-- that sessions are made of.

-- {roles, resources, scopes} as src/core/rbac.ts has them; NULL: the policy that everybody begins with.
ALTER TABLE organizations ADD COLUMN rbac_policy TEXT CHECK (json_type(rbac_policy) = 'object');
-- Where the bearer tokens of an earlier identity provider tell whose they are (OpenID Connect UserInfo); NULL: nowhere.
ALTER TABLE organizations ADD COLUMN userinfo_url TEXT;

ALTER TABLE customers ADD COLUMN logo_url TEXT;
ALTER TABLE customers ADD COLUMN trusted_metadata TEXT NOT NULL DEFAULT '{}'
  CHECK (json_type(trusted_metadata) = 'object');
-- Roles of its own, beside those of the policy.
ALTER TABLE customers ADD COLUMN rbac_roles TEXT NOT NULL DEFAULT '[]' CHECK (json_type(rbac_roles) = 'array');
-- JSON array of {domain, role}: what members have by the domain of their address.
ALTER TABLE customers ADD COLUMN domain_roles TEXT NOT NULL DEFAULT '[]' CHECK (json_type(domain_roles) = 'array');
-- How its members may sign in, as the dialect that keeps these settings words them.
ALTER TABLE customers ADD COLUMN sign_in_settings TEXT NOT NULL DEFAULT '{}'
  CHECK (json_type(sign_in_settings) = 'object');

-- 'pending' and 'invited' become 'active' with the first session.
ALTER TABLE members ADD COLUMN status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'pending', 'invited'));
-- Whether the member has proved to read this address; another address has to be proved anew.
ALTER TABLE members ADD COLUMN email_verified INTEGER NOT NULL DEFAULT 0 CHECK (email_verified IN (0, 1));
-- JSON array of role ids, beside those that the member's role implies.
ALTER TABLE members ADD COLUMN assigned_roles TEXT NOT NULL DEFAULT '[]' CHECK (json_type(assigned_roles) = 'array');
ALTER TABLE members ADD COLUMN trusted_metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_type(trusted_metadata) = 'object');
ALTER TABLE members ADD COLUMN untrusted_metadata TEXT NOT NULL DEFAULT '{}'
  CHECK (json_type(untrusted_metadata) = 'object');
ALTER TABLE members ADD COLUMN sign_in_settings TEXT NOT NULL DEFAULT '{}' CHECK (json_type(sign_in_settings) = 'object');
-- JSON array of {id, email, key}: addresses that it had, which no other member of its customer may have.
ALTER TABLE members ADD COLUMN retired_emails TEXT NOT NULL DEFAULT '[]' CHECK (json_type(retired_emails) = 'array');
-- Who has any is asked whenever an address is given to somebody, and few have.
CREATE INDEX members_with_retired_emails ON members (customer_id) WHERE deleted_at IS NULL AND retired_emails <> '[]';

-- What the organization's backend has its members' sessions say.
ALTER TABLE sessions ADD COLUMN custom_claims TEXT NOT NULL DEFAULT '{}' CHECK (json_type(custom_claims) = 'object');
-- JSON array of what was proved to get it (src/core/factors.ts); empty: a backend said who it is for.
ALTER TABLE sessions ADD COLUMN factors TEXT NOT NULL DEFAULT '[]' CHECK (json_type(factors) = 'array');
-- Not only of those that were not revoked any more: what ended sessions claim has to be found too, to be forgotten.
DROP INDEX sessions_of_member;
CREATE INDEX sessions_of_member ON sessions (customer_id, member_id, expires_at);

-- Whose signed tokens an organization takes for its members' word.
CREATE TABLE trusted_issuers (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  -- 'attest': ID tokens and their like. 'access_token': of an authorization server.
  purpose TEXT NOT NULL CHECK (purpose IN ('attest', 'access_token')),
  name TEXT NOT NULL,
  issuer TEXT NOT NULL,
  audience TEXT NOT NULL,
  -- Where its keys are published, or, as a JSON array of PEM texts, the keys.
  jwks_url TEXT,
  public_keys TEXT CHECK (json_type(public_keys) = 'array'),
  algorithms TEXT NOT NULL CHECK (json_type(algorithms) = 'array'),
  -- Which of its claims says what (src/core/trusted-issuers.ts).
  claims TEXT NOT NULL CHECK (json_type(claims) = 'object'),
  can_make_members INTEGER NOT NULL DEFAULT 0 CHECK (can_make_members IN (0, 1)),
  created_at INTEGER NOT NULL,
  revoked_at INTEGER,
  CHECK ((jwks_url IS NULL) <> (public_keys IS NULL))
) STRICT;
CREATE INDEX trusted_issuers_by_organization ON trusted_issuers (organization_id);

-- Tokens of theirs that were used: each is good once.
CREATE TABLE spent_tokens (
  -- Hex of SHA-256 over organization, issuer and the token's id: no secret is in it, so a change of keys lets none be
  -- used again.
  lookup_key TEXT NOT NULL PRIMARY KEY,
  used_by TEXT NOT NULL,
  -- From then on the token is no good anyway.
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_tokens_by_expiry ON spent_tokens (expires_at);

-- An operator's leave to sign in as a member, once.
CREATE TABLE impersonations (
  lookup_key TEXT NOT NULL PRIMARY KEY,
  -- Name of the token key that signed the token; a key with live rows may not be retired.
  token_key TEXT NOT NULL,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  member_id TEXT NOT NULL REFERENCES members (id),
  impersonator_id TEXT NOT NULL,
  impersonator_email TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_by TEXT
) STRICT, WITHOUT ROWID;
-- Whether a token key is still in use, and clean-up.
CREATE INDEX impersonations_by_expiry ON impersonations (expires_at, token_key);
