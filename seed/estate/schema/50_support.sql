-- What people ask, and what was answered.
CREATE SCHEMA support;
COMMENT ON SCHEMA support IS 'Customer support / Soutien à la clientèle';

CREATE TABLE support.tickets (
    ticket_id integer PRIMARY KEY,
    tenant_id integer NOT NULL,
    customer_id integer NOT NULL,
    assigned_to integer REFERENCES staff.employees (employee_id),
    subject text NOT NULL,
    body text NOT NULL,
    language char(2) NOT NULL,
    channel text NOT NULL,
    status text NOT NULL,
    opened_at timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES accounts.customers (tenant_id, customer_id)
);

CREATE TABLE support.ticket_messages (
    message_id integer PRIMARY KEY,
    ticket_id integer NOT NULL REFERENCES support.tickets (ticket_id),
    author text NOT NULL,
    body text NOT NULL,
    attachments jsonb NOT NULL,
    sent_at timestamptz NOT NULL
);
COMMENT ON COLUMN support.ticket_messages.author IS 'Address that the message came from';

CREATE TABLE support.call_logs (
    call_id integer PRIMARY KEY,
    caller_number text NOT NULL,
    compte integer,
    agent_id integer REFERENCES staff.employees (employee_id),
    duration_seconds integer NOT NULL,
    summary text,
    started_at timestamptz NOT NULL
);
COMMENT ON COLUMN support.call_logs.compte IS 'Référence à accounts.customers.customer_id (sans contrainte)';

CREATE TABLE support.satisfaction_surveys (
    survey_id integer PRIMARY KEY,
    ticket_id integer NOT NULL REFERENCES support.tickets (ticket_id),
    score smallint NOT NULL,
    commentaire text,
    answered_at timestamptz NOT NULL
);
