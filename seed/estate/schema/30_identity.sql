-- Verification of who somebody is, for compliance.
CREATE SCHEMA identity;
COMMENT ON SCHEMA identity IS 'Identity verification / Vérification d''identité';

CREATE TABLE identity.verifications (
    verification_id uuid PRIMARY KEY,
    tenant_id integer NOT NULL,
    customer_id integer NOT NULL,
    provider text NOT NULL,
    document_type text NOT NULL,
    document_number text NOT NULL,
    sin text,
    outcome text NOT NULL,
    result jsonb NOT NULL,
    checked_at timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES accounts.customers (tenant_id, customer_id)
);
COMMENT ON COLUMN identity.verifications.sin IS 'Numéro d''assurance sociale, demandé pour les comptes revendeurs';
COMMENT ON COLUMN identity.verifications.result IS 'The provider''s answer as received';

CREATE TABLE identity.document_images (
    image_id uuid PRIMARY KEY,
    verification_id uuid NOT NULL REFERENCES identity.verifications (verification_id),
    storage_key text NOT NULL,
    sha256 char(64) NOT NULL,
    mime_type text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL
);

CREATE TABLE identity.watchlist_hits (
    hit_id integer PRIMARY KEY,
    verification_id uuid NOT NULL REFERENCES identity.verifications (verification_id),
    matched_name text NOT NULL,
    list_name text NOT NULL,
    score numeric(4, 3) NOT NULL,
    cleared boolean NOT NULL
);
