-- What the rest of Polar's surface needs to know of organizations and customers, and the ways to look people up.

-- Whether asking for a sign-in code tells, as Polar does, that an address belongs to several customers ('polar'), or
-- whether the choice is shown only to whoever has proven the address.
ALTER TABLE organizations ADD COLUMN login_picker TEXT NOT NULL DEFAULT 'after_proof'
  CHECK (login_picker IN ('after_proof', 'polar'));
-- Whether individual customers may change their own e-mail address in the portal.
ALTER TABLE organizations ADD COLUMN allow_email_change INTEGER NOT NULL DEFAULT 0 CHECK (allow_email_change IN (0, 1));

-- JSON array [number, format].
ALTER TABLE customers ADD COLUMN tax_id TEXT CHECK (json_type(tax_id) = 'array');

-- Signing in by e-mail; and the list of all members.
CREATE INDEX members_by_email ON members (organization_id, email_key) WHERE deleted_at IS NULL;
CREATE INDEX members_by_organization ON members (organization_id, created_at) WHERE deleted_at IS NULL;
