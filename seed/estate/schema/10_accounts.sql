-- Who the customers of SetBytes are, and how they sign in.
CREATE SCHEMA accounts;
COMMENT ON SCHEMA accounts IS 'Organisations, their people, and how they sign in. / Organisations, personnes et connexions.';

CREATE DOMAIN accounts.courriel AS text CHECK (VALUE LIKE '%_@_%');
CREATE TYPE accounts.standing AS ENUM ('trial', 'active', 'suspended', 'closed');

CREATE TABLE accounts.email_templates (
    email_template_id integer PRIMARY KEY,
    code text NOT NULL UNIQUE,
    subject_en text NOT NULL,
    subject_fr text NOT NULL,
    body_en text NOT NULL,
    body_fr text NOT NULL,
    version text NOT NULL
);
COMMENT ON TABLE accounts.email_templates IS 'Wording of transactional messages; placeholders only, no addressee.';

CREATE TABLE accounts.organisations (
    tenant_id integer PRIMARY KEY,
    parent_id integer REFERENCES accounts.organisations (tenant_id),
    name text NOT NULL,
    legal_name text NOT NULL,
    business_number text,
    plan_code text NOT NULL,
    country char(2) NOT NULL,
    created_at timestamptz NOT NULL
);
COMMENT ON COLUMN accounts.organisations.parent_id IS 'The organisation that this one belongs to / organisation mère';
COMMENT ON COLUMN accounts.organisations.business_number IS 'Numéro d''entreprise du Québec (NEQ)';

CREATE TABLE accounts.customers (
    tenant_id integer NOT NULL REFERENCES accounts.organisations (tenant_id),
    customer_id integer NOT NULL,
    username text NOT NULL UNIQUE,
    first_name text NOT NULL,
    last_name text NOT NULL,
    email text NOT NULL,
    ref_3 text,
    phone text,
    language char(2) NOT NULL,
    date_of_birth date,
    standing accounts.standing NOT NULL,
    email_template_id integer REFERENCES accounts.email_templates (email_template_id),
    profile jsonb NOT NULL,
    preferences jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, customer_id)
);
COMMENT ON TABLE accounts.customers IS 'People who use the platform / Personnes qui utilisent la plateforme';
COMMENT ON COLUMN accounts.customers.ref_3 IS 'Legacy import field, see ticket CP-1182';
COMMENT ON COLUMN accounts.customers.phone IS 'Numéro de téléphone principal';
COMMENT ON COLUMN accounts.customers.email_template_id IS 'Which wording of the welcome message was used';
COMMENT ON COLUMN accounts.customers.profile IS 'What the person filled in on the profile page / page de profil';

CREATE TABLE accounts.addresses (
    address_id integer PRIMARY KEY,
    tenant_id integer NOT NULL,
    customer_id integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('billing', 'shipping')),
    line_1 text NOT NULL,
    line_2 text,
    city text NOT NULL,
    province char(2) NOT NULL,
    postal_code text NOT NULL,
    country char(2) NOT NULL,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES accounts.customers (tenant_id, customer_id)
);

CREATE TABLE accounts.contacts_techniques (
    contact_id integer PRIMARY KEY,
    tenant_id integer NOT NULL REFERENCES accounts.organisations (tenant_id),
    prenom text NOT NULL,
    nom text NOT NULL,
    courriel accounts.courriel NOT NULL,
    telephone text,
    fonction text,
    adresse text,
    ville text,
    code_postal text,
    remarques text
);
COMMENT ON TABLE accounts.contacts_techniques IS 'Personnes à joindre en cas d''incident, saisies par l''organisation';
COMMENT ON COLUMN accounts.contacts_techniques.remarques IS 'Texte libre';

CREATE TABLE accounts.credentials (
    tenant_id integer NOT NULL,
    customer_id integer NOT NULL,
    password_hash text NOT NULL,
    mfa_method text,
    recovery_email text,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, customer_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES accounts.customers (tenant_id, customer_id)
);

CREATE TABLE accounts.api_keys (
    key_id uuid PRIMARY KEY,
    tenant_id integer NOT NULL,
    customer_id integer NOT NULL,
    label text NOT NULL,
    api_key text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES accounts.customers (tenant_id, customer_id)
);

CREATE TABLE accounts.sessions (
    session_id text PRIMARY KEY,
    tenant_id integer NOT NULL,
    customer_id integer NOT NULL,
    ip_address inet NOT NULL,
    user_agent text NOT NULL,
    started_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES accounts.customers (tenant_id, customer_id)
);

CREATE TABLE accounts.devices (
    device_id uuid PRIMARY KEY,
    tenant_id integer NOT NULL,
    customer_id integer NOT NULL,
    phone_model text,
    os_version text,
    mac_address macaddr,
    enrolled_at timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES accounts.customers (tenant_id, customer_id)
);

CREATE TABLE accounts.invitations (
    invitation_id integer PRIMARY KEY,
    tenant_id integer NOT NULL,
    invited_by integer NOT NULL,
    destinataire text NOT NULL,
    role text NOT NULL,
    message text,
    sent_at timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, invited_by) REFERENCES accounts.customers (tenant_id, customer_id)
);
COMMENT ON COLUMN accounts.invitations.destinataire IS 'Adresse à laquelle l''invitation a été envoyée';
