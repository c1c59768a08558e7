-- Plans, what was used, invoices and payments.
CREATE SCHEMA billing;
COMMENT ON SCHEMA billing IS 'Billing and invoicing / Facturation';

CREATE TABLE billing.plans (
    plan_code text PRIMARY KEY,
    name text NOT NULL,
    nom text NOT NULL,
    price_cents integer NOT NULL,
    currency char(3) NOT NULL,
    features jsonb NOT NULL
);
COMMENT ON COLUMN billing.plans.nom IS 'Nom du forfait en français';
ALTER TABLE accounts.organisations ADD FOREIGN KEY (plan_code) REFERENCES billing.plans (plan_code);

CREATE TABLE billing.payment_methods (
    payment_method_id uuid PRIMARY KEY,
    tenant_id integer NOT NULL,
    customer_id integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('card', 'pad')),
    holder text NOT NULL,
    card_number text,
    card_expiry text,
    last4 char(4),
    transit_institution text,
    account_number text,
    stripe_customer text,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES accounts.customers (tenant_id, customer_id)
);
COMMENT ON COLUMN billing.payment_methods.kind IS 'card, or pad: pre-authorised debit / débit préautorisé';
COMMENT ON COLUMN billing.payment_methods.transit_institution IS 'Numéros de transit et d''institution';

CREATE TABLE billing.invoices (
    invoice_id integer PRIMARY KEY,
    tenant_id integer NOT NULL,
    customer_id integer NOT NULL,
    order_number char(16) NOT NULL,
    issued_on date NOT NULL,
    total_cents integer NOT NULL,
    currency char(3) NOT NULL,
    status text NOT NULL,
    bill_to jsonb NOT NULL,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES accounts.customers (tenant_id, customer_id)
);
COMMENT ON COLUMN billing.invoices.order_number IS 'Sequential, with the year and the point of sale';
COMMENT ON COLUMN billing.invoices.bill_to IS 'Name and address as they were on the day of issue';

CREATE TABLE billing.invoice_lines (
    invoice_id integer NOT NULL REFERENCES billing.invoices (invoice_id),
    line_number smallint NOT NULL,
    name text NOT NULL,
    quantity integer NOT NULL,
    unit_price_cents integer NOT NULL,
    PRIMARY KEY (invoice_id, line_number)
);
COMMENT ON COLUMN billing.invoice_lines.name IS 'Name of the product';

CREATE TABLE billing.payments (
    payment_id uuid PRIMARY KEY,
    invoice_id integer NOT NULL REFERENCES billing.invoices (invoice_id),
    payment_method_id uuid NOT NULL REFERENCES billing.payment_methods (payment_method_id),
    amount_cents integer NOT NULL,
    payer_ip inet,
    paid_at timestamptz NOT NULL
);

CREATE TABLE billing.usage_records (
    tenant_id integer NOT NULL,
    customer_id integer NOT NULL,
    month date NOT NULL,
    service text NOT NULL,
    quantity numeric(12, 3) NOT NULL,
    amount_cents integer NOT NULL,
    PRIMARY KEY (tenant_id, customer_id, month, service),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES accounts.customers (tenant_id, customer_id)
);
