-- What reports and other systems read.
CREATE VIEW accounts.customer_directory AS
SELECT
    c.tenant_id,
    c.customer_id,
    c.first_name || ' ' || c.last_name AS display_name,
    c.email,
    c.phone,
    o.name AS organisation,
    a.city,
    a.province,
    a.postal_code
FROM accounts.customers AS c
JOIN accounts.organisations AS o USING (tenant_id)
LEFT JOIN accounts.addresses AS a
    ON a.tenant_id = c.tenant_id AND a.customer_id = c.customer_id AND a.kind = 'billing';
COMMENT ON VIEW accounts.customer_directory IS 'Exported nightly to the object store';

CREATE VIEW billing.revenue_by_province AS
WITH billed AS (
    SELECT a.province, i.currency, i.total_cents, i.tenant_id, i.customer_id
    FROM billing.invoices AS i
    JOIN accounts.addresses AS a
        ON a.tenant_id = i.tenant_id AND a.customer_id = i.customer_id AND a.kind = 'billing'
    WHERE i.status = 'paid'
)
SELECT province, currency, count(DISTINCT (tenant_id, customer_id)) AS customers, sum(total_cents) AS revenue_cents
FROM billed
GROUP BY province, currency;

CREATE VIEW marketing.audience AS
SELECT
    encode(sha256(convert_to(lower(c.email), 'UTF8')), 'hex') AS email_sha256,
    c.language,
    extract(year FROM c.created_at)::integer AS customer_since
FROM accounts.customers AS c
JOIN marketing.consents AS s USING (tenant_id, customer_id)
WHERE s.purpose = 'newsletter' AND s.granted;
COMMENT ON VIEW marketing.audience IS 'Public cible, adresses hachées avant l''envoi';

CREATE VIEW support.open_tickets AS
WITH waiting AS (
    SELECT t.ticket_id, t.tenant_id, t.customer_id, t.subject, t.assigned_to, t.opened_at
    FROM support.tickets AS t
    WHERE t.status <> 'closed'
)
SELECT
    w.ticket_id,
    w.subject,
    left(c.email, 2) || '***' AS masked_email,
    e.full_name AS agent,
    row_number() OVER (PARTITION BY w.assigned_to ORDER BY w.opened_at) AS place_in_queue
FROM waiting AS w
JOIN accounts.customers AS c USING (tenant_id, customer_id)
LEFT JOIN staff.employees AS e ON e.employee_id = w.assigned_to;

CREATE VIEW identity.verified_people AS
SELECT
    v.tenant_id,
    v.customer_id,
    v.result #>> '{extracted,given_name}' AS given_name,
    v.result #>> '{extracted,family_name}' AS family_name,
    (v.result #>> '{extracted,birth_date}')::date AS birth_date,
    v.document_number
FROM identity.verifications AS v
WHERE v.outcome = 'verified';

CREATE VIEW audit.sign_ins AS
SELECT s.started_at AS occurred_at, c.username AS who, s.ip_address AS ip
FROM accounts.sessions AS s
JOIN accounts.customers AS c USING (tenant_id, customer_id)
UNION ALL
SELECT e.occurred_at, e.actor, e.actor_ip
FROM audit.events AS e
WHERE e.action = 'sign_in';

CREATE MATERIALIZED VIEW telemetry.daily_activity AS
SELECT
    tenant_id,
    customer_id,
    (logged_at AT TIME ZONE 'UTC')::date AS day,
    count(*) AS requests,
    count(DISTINCT client_ip) AS addresses,
    sum(bytes) AS bytes
FROM telemetry.access_log
WHERE customer_id IS NOT NULL
GROUP BY tenant_id, customer_id, (logged_at AT TIME ZONE 'UTC')::date
WITH NO DATA;
COMMENT ON MATERIALIZED VIEW telemetry.daily_activity IS 'Refreshed nightly / rafraîchie chaque nuit';
