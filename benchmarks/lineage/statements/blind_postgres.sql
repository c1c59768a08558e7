-- dialect: postgres
--@ v: mail < users.email
create view v as select users.email mail from users;
--@ v: mail < users.email; total < orders.total
CREATE VIEW v AS SELECT email AS mail, total FROM users JOIN orders ON orders.user_id = users.id;
--@ v: id < staging_users.id users.id
CREATE VIEW v AS (SELECT id FROM users) INTERSECT (SELECT id FROM staging_users);
--@ v: a < users.email; b < users.email
CREATE VIEW v AS SELECT x.a, x.a AS b FROM (SELECT email AS a FROM users) x;
--@ v: name < users.first_name employees.full_name users.last_name
CREATE VIEW v AS SELECT name FROM (SELECT first_name || last_name AS name FROM users UNION ALL SELECT full_name FROM employees) p;
--@ v: who < users.email; n < orders.id?; spent < orders.total; last < orders.created_at
CREATE VIEW v AS SELECT u.email AS who, count(o.id) AS n, sum(o.total) AS spent, max(o.created_at) AS last FROM users u LEFT JOIN orders o ON o.user_id = u.id GROUP BY u.email;
--@ v: domain < users.email
CREATE VIEW v AS SELECT lower(substring(email from position('@' in email) + 1)) AS domain FROM users;
--@ v: initials < users.first_name users.last_name
CREATE VIEW v AS SELECT left(first_name, 1) || left(last_name, 1) AS initials FROM users;
--@ v: a < users.phone
CREATE VIEW v AS SELECT regexp_replace(phone, '[^0-9]', '', 'g') AS a FROM users;
--@ v: flag < users.email?
CREATE VIEW v AS SELECT email IS NOT NULL AS flag FROM users;
--@ v: flag < users.city?
CREATE VIEW v AS SELECT CASE WHEN city = 'a' THEN 1 ELSE 0 END AS flag FROM users;
--@ v: c < users.email? users.phone users.city
CREATE VIEW v AS SELECT CASE email WHEN 'x' THEN phone WHEN 'y' THEN city END AS c FROM users;
--@ v: g < orders.total items.price
CREATE VIEW v AS SELECT greatest(o.total, i.price) AS g FROM orders o, items i;
--@ v: age < users.created_at
CREATE VIEW v AS SELECT now() - created_at AS age FROM users;
--@ v: t < users.created_at
CREATE VIEW v AS SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM') AS t FROM users;
--@ v: id < users.id; ev < events.kind
CREATE VIEW v AS SELECT id, (SELECT e.kind FROM events e WHERE e.user_id = users.id ORDER BY at DESC LIMIT 1) AS ev FROM users;
--@ v: mails < users.email
CREATE VIEW v AS SELECT ARRAY(SELECT email FROM users) AS mails;
--@ v: mails < users.email users.created_at?
CREATE VIEW v AS SELECT array_agg(email ORDER BY created_at) AS mails FROM users;
--@ v: doc < users.email users.phone
CREATE VIEW v AS SELECT json_agg(json_build_object('e', email, 'p', phone)) AS doc FROM users;
--@ v: id < orders.id; items < items.sku items.qty
CREATE VIEW v AS SELECT o.id, json_agg(json_build_object('sku', i.sku, 'qty', i.qty)) AS items FROM orders o JOIN items i ON i.order_id = o.id GROUP BY o.id;
--@ v: name < users.first_name; hash < users.email
CREATE VIEW v AS WITH h AS (SELECT id, encode(sha256(email::bytea), 'hex') AS hash FROM users) SELECT u.first_name AS name, h.hash FROM h JOIN users u ON u.id = h.id;
--@ v: x < orders.total
CREATE VIEW v AS WITH a AS (SELECT total AS x FROM orders), b AS (SELECT * FROM a), c AS (SELECT b.* FROM b) SELECT * FROM c;
--@ v: id < users.id; p < users.phone
CREATE VIEW v AS WITH a(id, p) AS (SELECT id, phone FROM users) SELECT * FROM a;
--@ v: n <
CREATE VIEW v AS WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10) SELECT n FROM n;
--@ v: id < employees.id; path < employees.full_name
CREATE VIEW v AS WITH RECURSIVE t AS (SELECT id, full_name::text AS path FROM employees WHERE manager_id IS NULL UNION ALL SELECT e.id, t.path || '/' || e.full_name FROM employees e JOIN t ON t.id = e.manager_id) SELECT id, path FROM t;
--@ v: id < employees.id employees.manager_id
CREATE VIEW v AS WITH RECURSIVE up(id) AS (SELECT id FROM employees UNION SELECT e.manager_id FROM employees e JOIN up USING (id)) SELECT id FROM up;
--@ v: city < users.city addresses.city; n < users.id?
CREATE VIEW v AS SELECT coalesce(a.city, u.city) AS city, count(u.id) AS n FROM users u LEFT JOIN addresses a ON a.user_id = u.id GROUP BY 1;
--@ v: user_id < orders.user_id consents.user_id; total < orders.total; purpose < consents.purpose
CREATE VIEW v AS SELECT user_id, total, purpose FROM orders FULL JOIN consents USING (user_id);
--@ v: total < orders.total; street < addresses.street
CREATE VIEW v AS SELECT o.total, a.street FROM orders o NATURAL JOIN addresses a;
--@ v: rank < orders.total? orders.user_id?; total < orders.total
CREATE VIEW v AS SELECT total, rank() OVER (PARTITION BY user_id ORDER BY total DESC) AS rank FROM orders;
--@ v: avg < orders.total orders.created_at?
CREATE VIEW v AS SELECT avg(total) OVER (ORDER BY created_at ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS avg FROM orders;
--@ v: nxt < orders.note orders.created_at? orders.user_id?
CREATE VIEW v AS SELECT lead(note) OVER (PARTITION BY user_id ORDER BY created_at) AS nxt FROM orders;
--@ v: share < orders.total
CREATE VIEW v AS SELECT total / sum(total) OVER () AS share FROM orders;
--@ v: a < users.email; b < users.phone; c < users.city
CREATE VIEW v (a, b, c) AS WITH q AS (SELECT email, phone, city FROM users) TABLE q;
--@ v: k < events.kind; ip < events.ip
CREATE VIEW v AS SELECT (e).kind AS k, (e).ip AS ip FROM events e;
--@ v: a < events.payload; b < events.payload
CREATE VIEW v AS SELECT r.a, r.b FROM events e, jsonb_to_record(e.payload) AS r(a text, b int);
--@ v: i < events.payload
CREATE VIEW v AS SELECT item ->> 'name' AS i FROM events, jsonb_array_elements(payload -> 'items') AS item;
--@ v: k < events.payload; n < events.id?
CREATE VIEW v AS SELECT payload ->> 'k' AS k, count(*) AS n FROM events GROUP BY payload ->> 'k';
--@ v: has < events.payload?
CREATE VIEW v AS SELECT payload ? 'email' AS has FROM events;
--@ v: d < users.first_name users.email
CREATE VIEW v AS SELECT format('%s <%s>', first_name, email) AS d FROM users;
--@ v: m < users.email
CREATE VIEW v AS SELECT overlay(email placing '***' from 2 for 5) AS m FROM users;
--@ v: m < users.email
CREATE VIEW v AS SELECT public.mask_email(email) AS m FROM users;
--@ v: h < users.email
CREATE VIEW v AS SELECT hashtext(email) % 100 AS h FROM users;
--@ v: a < users.id; b < orders.id
CREATE VIEW v AS SELECT users.id AS a, orders.id AS b FROM users LEFT OUTER JOIN orders ON users.id = orders.user_id;
--@ v: email < users.email; who < employees.work_email
CREATE VIEW v AS SELECT a.email, b.work_email AS who FROM (users a CROSS JOIN employees b);
--@ report: k < orders.status; n < orders.id?; total < orders.total
INSERT INTO report (k, n, total) WITH x AS (SELECT status, id, total FROM orders) SELECT status, count(id), sum(total) FROM x GROUP BY status;
--@ report: k < orders.status; total < orders.total
WITH x AS (SELECT status, sum(total) AS s FROM orders GROUP BY status) INSERT INTO report (k, total) SELECT status, s FROM x;
--@ audit: who < users.email; at < users.created_at; what <
INSERT INTO audit (who, what, at) SELECT email, 'created', created_at FROM users;
--@ audit: id < events.id; who < users.email; what < events.kind; at < events.at; ip < events.ip
INSERT INTO audit SELECT e.id, u.email, e.kind, e.at, e.ip FROM events e JOIN users u ON u.id = e.user_id;
--@ audit: who < employees.work_email users.email
INSERT INTO audit (who) SELECT email FROM users UNION ALL SELECT work_email FROM employees;
--@ profile: user_id < users.id; email_hash < users.email; last_ip < events.ip
INSERT INTO profile (user_id, email_hash, last_ip) SELECT u.id, md5(u.email), l.ip FROM users u LEFT JOIN LATERAL (SELECT ip FROM events e WHERE e.user_id = u.id ORDER BY at DESC LIMIT 1) AS l ON true ON CONFLICT (user_id) DO NOTHING;
--@ profile: user_id < users.id; display < users.first_name; email < users.first_name
INSERT INTO profile AS p (user_id, display) SELECT id, first_name FROM users ON CONFLICT (user_id) DO UPDATE SET email = excluded.display, display = p.display;
--@ profile: display < users.first_name users.last_name
UPDATE profile SET display = u.first_name || ' ' || u.last_name FROM users AS u WHERE u.id = profile.user_id;
--@ profile: email_hash < profile.email
UPDATE profile SET email_hash = md5(email);
--@ profile: email <
UPDATE profile SET email = NULL WHERE user_id = 5;
--@ profile: display < users.first_name; email < users.email
WITH s AS (SELECT id, first_name, email FROM users) UPDATE profile p SET display = s.first_name, email = s.email FROM s WHERE s.id = p.user_id;
--@ profile: last_ip < events.ip
UPDATE profile p SET last_ip = sub.ip FROM (SELECT DISTINCT ON (user_id) user_id, ip FROM events ORDER BY user_id, at DESC) sub WHERE sub.user_id = p.user_id;
--@ profile: display < users.first_name; email < users.email; user_id < users.id
WITH s AS (SELECT * FROM users) MERGE INTO profile p USING s ON s.id = p.user_id WHEN MATCHED THEN UPDATE SET display = s.first_name WHEN NOT MATCHED THEN INSERT (user_id, email) VALUES (s.id, s.email);
--@ profile: display < users.last_name
MERGE INTO profile p USING users u ON u.id = p.user_id WHEN MATCHED AND u.city = 'x' THEN DELETE WHEN MATCHED THEN UPDATE SET display = upper(u.last_name);
--@ archive_users: * < staging_users.*
INSERT INTO archive_users TABLE staging_users;
--@ archive_users: id < users.id; email < users.email
INSERT INTO archive_users SELECT id, email FROM users;
--@ audit: who < users.email; ip < users.phone
WITH changed AS (UPDATE users SET city = 'x' RETURNING email, phone) INSERT INTO audit (who, ip) SELECT * FROM changed;
--@ archive_users: id < users.id
--@ audit: who < users.id
WITH moved AS (INSERT INTO archive_users (id) SELECT id FROM users RETURNING id) INSERT INTO audit (who) SELECT u.id FROM users u JOIN moved m ON m.id = u.id;
--@ t: a < users.email; b < users.phone
CREATE TABLE t (a, b) AS SELECT email, phone FROM users;
--@ t: * < users.*
CREATE TABLE t AS TABLE users WITH NO DATA;
--@ t: id < users.id; street < addresses.street
CREATE UNLOGGED TABLE t AS SELECT u.id, a.street FROM users u INNER JOIN addresses a ON (u.id = a.user_id);
--@ contacts: email < users.email employees.work_email
CREATE TEMP TABLE m (mail text); INSERT INTO m SELECT email FROM users; INSERT INTO m SELECT work_email FROM employees; INSERT INTO contacts (email) SELECT mail FROM m;
--@ contacts: email < users.email; phone < users.phone
CREATE TEMPORARY TABLE x AS SELECT id, email FROM users; UPDATE contacts SET email = x.email FROM x WHERE x.id = contacts.user_id; UPDATE contacts SET phone = u.phone FROM users u, x WHERE u.id = x.id; DROP TABLE x;
--@ contacts: email < staging_users.email
--@ users: email < staging_users.email
INSERT INTO users (email) SELECT email FROM staging_users; INSERT INTO contacts (email) SELECT email FROM staging_users;
--@ v: x < users.email
CREATE VIEW v AS SELECT (SELECT email) AS x FROM users;
--@ v: v < users.email
CREATE VIEW v AS SELECT email AS v FROM users v;
--@ v: users < users.email
CREATE VIEW v AS SELECT email AS users FROM users;
--@ v: e < users.email; cnt < orders.id?
CREATE VIEW v AS SELECT u.email AS e, o.cnt FROM users u JOIN (SELECT user_id, count(id) AS cnt FROM orders GROUP BY user_id) o ON o.user_id = u.id;
--@ v: z < users.email users.phone users.city
CREATE VIEW v AS SELECT concat_ws(',', email, nullif(phone, ''), trim(both ' ' from city)) AS z FROM users;
--@ v: id < users.id; ok < consents.granted
CREATE VIEW v AS SELECT u.id, bool_or(c.granted) AS ok FROM users u JOIN consents c ON c.user_id = u.id GROUP BY u.id;
--@ v: lo < orders.total; hi < orders.total
CREATE VIEW v AS SELECT min(total) lo, max(total) hi FROM orders;
--@ v: email < users.email; n < orders.total? orders.id?
CREATE VIEW v AS SELECT email, (SELECT count(*) FROM orders o WHERE o.user_id = u.id AND o.total > 5) AS n FROM users u;
--@ v: street < addresses.street; email < users.email; id < users.id; user_id < addresses.user_id
CREATE VIEW v AS SELECT * FROM (SELECT email, id FROM users) a JOIN (SELECT user_id, street FROM addresses) b ON a.id = b.user_id LIMIT 0;
