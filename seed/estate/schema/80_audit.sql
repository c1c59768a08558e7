-- Who did what.
CREATE SCHEMA audit;
COMMENT ON SCHEMA audit IS 'Audit trail / Piste d''audit';

CREATE TABLE audit.events (
    event_id bigint PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    actor text NOT NULL,
    actor_ip inet,
    action text NOT NULL,
    object_type text NOT NULL,
    object_id text NOT NULL,
    detail jsonb NOT NULL
);
COMMENT ON COLUMN audit.events.actor IS 'Nom d''utilisateur de la personne qui a agi';

CREATE TABLE audit.privacy_requests (
    request_id integer PRIMARY KEY,
    tenant_id integer,
    customer_id integer,
    kind text NOT NULL,
    requester text NOT NULL,
    statement text NOT NULL,
    received_on date NOT NULL,
    closed_on date,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES accounts.customers (tenant_id, customer_id)
);
COMMENT ON COLUMN audit.privacy_requests.requester IS 'Courriel de la personne concernée';
