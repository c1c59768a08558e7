-- Marketing, with consent only.
CREATE SCHEMA marketing;
COMMENT ON SCHEMA marketing IS 'Consents and campaigns / Consentements et campagnes';

CREATE TABLE marketing.consents (
    tenant_id integer NOT NULL,
    customer_id integer NOT NULL,
    purpose text NOT NULL,
    granted boolean NOT NULL,
    obtained_from inet,
    wording_version text NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, customer_id, purpose),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES accounts.customers (tenant_id, customer_id)
);

CREATE TABLE marketing.campaigns (
    campaign_id integer PRIMARY KEY,
    name text NOT NULL,
    subject_en text NOT NULL,
    subject_fr text NOT NULL,
    utm_campaign text NOT NULL,
    sent_on date NOT NULL
);

CREATE TABLE marketing.campaign_sends (
    campaign_id integer NOT NULL REFERENCES marketing.campaigns (campaign_id),
    tenant_id integer NOT NULL,
    customer_id integer NOT NULL,
    opened_at timestamptz,
    PRIMARY KEY (campaign_id, tenant_id, customer_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES accounts.customers (tenant_id, customer_id)
);

CREATE TABLE marketing.suppressions (
    email_sha256 char(64) PRIMARY KEY,
    reason text NOT NULL,
    added_on date NOT NULL
);
COMMENT ON TABLE marketing.suppressions IS 'Adresses à ne plus joindre, hachées';
