-- Tenants, what they present, and the people they sign in.
-- Times are integers, epoch milliseconds, written by the Worker's clock. Every e-mail has a twin, email_key, folded
-- by the Worker: SQLite's lower() knows ASCII only. Deleted rows stay, so that an id is never given out twice.

CREATE TABLE organizations (
  id TEXT NOT NULL PRIMARY KEY,
  -- First word of its portal's path, so not one of our own; nor like an id, since forward-auth takes either.
  slug TEXT NOT NULL UNIQUE
    CHECK (slug NOT IN ('v1', 'api') AND slug NOT GLOB '????????-????-????-????-????????????'),
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  modified_at INTEGER,
  deleted_at INTEGER,
  -- Raising it ends every session of the organization in one write.
  session_epoch INTEGER NOT NULL DEFAULT 0,
  -- 'code': links carry a single-use code. 'token': Polar's exact form, with the session token in the URL.
  portal_link TEXT NOT NULL DEFAULT 'code' CHECK (portal_link IN ('code', 'token')),
  -- The organization's own application; links go there and its backend redeems the code.
  portal_url TEXT,
  portal_code_ttl_seconds INTEGER NOT NULL DEFAULT 300 CHECK (portal_code_ttl_seconds BETWEEN 30 AND 31622400),
  -- JSON array of origins that a return_url may have; empty means any http(s) URL.
  allowed_return_origins TEXT NOT NULL DEFAULT '[]' CHECK (json_type(allowed_return_origins) = 'array'),
  session_ttl_seconds INTEGER NOT NULL DEFAULT 3600 CHECK (session_ttl_seconds BETWEEN 60 AND 31622400),
  session_max_ttl_seconds INTEGER NOT NULL DEFAULT 2592000 CHECK (session_max_ttl_seconds BETWEEN 300 AND 31622400),
  max_sessions_per_member INTEGER NOT NULL DEFAULT 100 CHECK (max_sessions_per_member BETWEEN 1 AND 10000),
  member_model_enabled INTEGER NOT NULL DEFAULT 1 CHECK (member_model_enabled IN (0, 1)),
  seat_based_pricing_enabled INTEGER NOT NULL DEFAULT 1 CHECK (seat_based_pricing_enabled IN (0, 1)),
  CHECK (session_ttl_seconds <= session_max_ttl_seconds)
) STRICT;

CREATE TABLE api_keys (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  -- Hex of the HMAC part that does not travel in the key (src/core/credentials.ts); the key itself is nowhere.
  lookup_key TEXT NOT NULL UNIQUE,
  token_key TEXT NOT NULL,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
) STRICT;
CREATE INDEX api_keys_by_organization ON api_keys (organization_id);

CREATE TABLE customers (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  type TEXT NOT NULL DEFAULT 'individual' CHECK (type IN ('individual', 'team')),
  external_id TEXT,
  slug TEXT,
  email TEXT,
  email_key TEXT,
  email_verified INTEGER NOT NULL DEFAULT 0 CHECK (email_verified IN (0, 1)),
  name TEXT,
  billing_name TEXT,
  billing_address TEXT CHECK (json_valid(billing_address)),
  locale TEXT,
  metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_type(metadata) = 'object'),
  created_at INTEGER NOT NULL,
  modified_at INTEGER,
  deleted_at INTEGER,
  session_epoch INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX customers_email ON customers (organization_id, email_key)
  WHERE deleted_at IS NULL AND email_key IS NOT NULL;
CREATE UNIQUE INDEX customers_external_id ON customers (organization_id, external_id)
  WHERE deleted_at IS NULL AND external_id IS NOT NULL;
CREATE UNIQUE INDEX customers_slug ON customers (organization_id, slug)
  WHERE deleted_at IS NULL AND slug IS NOT NULL;
CREATE INDEX customers_by_organization ON customers (organization_id, created_at);

CREATE TABLE members (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  customer_id TEXT NOT NULL REFERENCES customers (id),
  email TEXT NOT NULL,
  email_key TEXT NOT NULL,
  name TEXT,
  external_id TEXT,
  role TEXT NOT NULL CHECK (role IN ('owner', 'billing_manager', 'member')),
  created_at INTEGER NOT NULL,
  modified_at INTEGER,
  deleted_at INTEGER,
  session_epoch INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX members_email ON members (customer_id, email_key) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX members_external_id ON members (customer_id, external_id)
  WHERE deleted_at IS NULL AND external_id IS NOT NULL;
CREATE UNIQUE INDEX members_one_owner ON members (customer_id) WHERE role = 'owner' AND deleted_at IS NULL;
CREATE INDEX members_by_customer ON members (customer_id, created_at);
