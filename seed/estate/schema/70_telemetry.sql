-- What the platform measures of its use.
CREATE SCHEMA telemetry;
COMMENT ON SCHEMA telemetry IS 'Access logs, events and measures / Journaux d''accès et mesures';

CREATE TABLE telemetry.access_log (
    request_id bigint PRIMARY KEY,
    logged_at timestamptz NOT NULL,
    host text NOT NULL,
    client_ip inet NOT NULL,
    tenant_id integer,
    customer_id integer,
    method text NOT NULL,
    path text NOT NULL,
    status smallint NOT NULL,
    bytes integer NOT NULL,
    referrer text,
    user_agent text NOT NULL
);

CREATE TABLE telemetry.api_usage (
    tenant_id integer NOT NULL,
    customer_id integer NOT NULL,
    day date NOT NULL,
    endpoint text NOT NULL,
    calls integer NOT NULL,
    errors integer NOT NULL,
    PRIMARY KEY (tenant_id, customer_id, day, endpoint),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES accounts.customers (tenant_id, customer_id)
);

CREATE TABLE telemetry.client_events (
    event_id uuid PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    name text NOT NULL,
    payload jsonb NOT NULL
);
COMMENT ON COLUMN telemetry.client_events.name IS 'What happened, such as page_view';

CREATE TABLE telemetry.uptime_checks (
    check_id integer PRIMARY KEY,
    region text NOT NULL,
    target text NOT NULL,
    latency_ms integer NOT NULL,
    healthy boolean NOT NULL,
    checked_at timestamptz NOT NULL
);
