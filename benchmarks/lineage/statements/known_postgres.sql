-- dialect: postgres
--@ v: email < users.email
CREATE VIEW v AS SELECT email FROM users;
--@ v: email < users.email; o < orders.id
CREATE OR REPLACE VIEW v AS SELECT u.email, o.id AS o FROM users u JOIN orders o ON o.user_id = u.id;
--@ v: a < users.email; b < users.phone
CREATE VIEW v (a, b) AS SELECT email, phone FROM users;
--@ v: * < users.*
CREATE VIEW v AS SELECT * FROM users;
--@ v: * < users.*; total < orders.total
CREATE VIEW v AS SELECT u.*, o.total FROM users AS u, orders AS o WHERE o.user_id = u.id;
--@ v: display < users.first_name users.last_name
CREATE MATERIALIZED VIEW v AS SELECT first_name || ' ' || last_name AS display FROM users;
--@ t: h < users.email
CREATE TABLE t AS SELECT md5(lower(email)) AS h FROM users;
--@ t: n < orders.id?; s < orders.total
CREATE TABLE t AS SELECT count(id) AS n, sum(total) AS s FROM orders;
--@ contacts: user_id < users.id; email < users.email; name < users.first_name users.last_name; phone < users.phone; city < users.city
INSERT INTO contacts SELECT id, email, concat(first_name, ' ', last_name), phone, city FROM users;
--@ contacts: user_id < users.id; email < users.email
INSERT INTO contacts (user_id, email) SELECT id, email FROM users WHERE city = 'Laval';
--@ contacts: email < users.email; user_id < users.id
INSERT INTO contacts (email, user_id) SELECT u.email, u.id FROM users u;
--@ archive_users: * < users.*
INSERT INTO archive_users SELECT * FROM users WHERE created_at < now();
--@ contacts: city < addresses.city
UPDATE contacts SET city = a.city FROM addresses a WHERE a.user_id = contacts.user_id;
--@ contacts: city < addresses.city; phone < users.phone
UPDATE contacts c SET city = a.city, phone = u.phone FROM addresses a JOIN users u ON u.id = a.user_id WHERE u.id = c.user_id;
--@ contacts: phone < users.phone; email < users.email
UPDATE contacts SET (phone, email) = (SELECT u.phone, u.email FROM users u WHERE u.id = contacts.user_id);
--@ contacts: phone < users.phone
UPDATE contacts SET phone = (SELECT phone FROM users WHERE users.id = contacts.user_id), name = 'x';
--@ contacts: email < users.email; user_id < users.id; phone < users.phone
MERGE INTO contacts c USING users u ON c.user_id = u.id WHEN MATCHED THEN UPDATE SET email = u.email WHEN NOT MATCHED THEN INSERT (user_id, phone) VALUES (u.id, u.phone);
--@ contacts: name < employees.full_name
MERGE INTO contacts c USING (SELECT id AS i, full_name AS f FROM employees) e ON c.user_id = e.i WHEN MATCHED THEN UPDATE SET name = e.f;
--@ v: e < users.email
CREATE VIEW v AS WITH x AS (SELECT email AS e FROM users) SELECT e FROM x;
--@ v: e < users.email; t < orders.total
CREATE VIEW v AS WITH x AS (SELECT id, email AS e FROM users), y AS (SELECT x.e, o.total AS t FROM x JOIN orders o ON o.user_id = x.id) SELECT y.e, y.t FROM y;
--@ v: email < staging_users.email
CREATE VIEW v AS WITH users AS (SELECT email FROM staging_users) SELECT email FROM users;
--@ v: id < employees.id; full_name < employees.full_name; boss < employees.full_name
CREATE VIEW v AS WITH RECURSIVE up AS (SELECT id, full_name, full_name AS boss FROM employees WHERE manager_id IS NULL UNION ALL SELECT e.id, e.full_name, up.full_name FROM employees e JOIN up ON e.manager_id = up.id) SELECT id, full_name, boss FROM up;
--@ v: who < users.email employees.work_email
CREATE VIEW v AS SELECT email AS who FROM users UNION ALL SELECT work_email FROM employees;
--@ v: a < users.email users.phone; b < users.phone users.email
CREATE VIEW v AS SELECT email AS a, phone AS b FROM users UNION SELECT phone, email FROM users;
--@ v: email < users.email staging_users.email?
CREATE VIEW v AS SELECT email FROM users EXCEPT SELECT email FROM staging_users;
--@ v: r < users.id? users.created_at? users.city?; email < users.email
CREATE VIEW v AS SELECT email, row_number() OVER (PARTITION BY city ORDER BY created_at) AS r FROM users;
--@ v: prev < orders.total orders.created_at? orders.user_id?
CREATE VIEW v AS SELECT lag(total, 1) OVER (PARTITION BY user_id ORDER BY created_at) AS prev FROM orders;
--@ v: s < orders.total orders.user_id?; first < orders.note orders.user_id? orders.id?
CREATE VIEW v AS SELECT sum(total) OVER (PARTITION BY user_id) AS s, first_value(note) OVER (PARTITION BY user_id ORDER BY id) AS first FROM orders;
--@ v: label < users.city? users.phone
CREATE VIEW v AS SELECT CASE WHEN city = 'Gatineau' THEN phone ELSE 'other' END AS label FROM users;
--@ v: c < users.email users.phone
CREATE VIEW v AS SELECT coalesce(email, phone, 'none') AS c FROM users;
--@ v: mail < users.payload; city < users.payload
CREATE VIEW v AS SELECT payload ->> 'email' AS mail, payload -> 'address' ->> 'city' AS city FROM users;
--@ v: mail < users.payload
CREATE VIEW v AS SELECT payload #>> '{contact,email}' AS mail FROM users;
--@ v: tag < events.tags; id < events.id
CREATE VIEW v AS SELECT e.id, t.tag FROM events e CROSS JOIN LATERAL unnest(e.tags) AS t(tag);
--@ v: k < events.payload; val < events.payload
CREATE VIEW v AS SELECT j.key AS k, j.value AS val FROM events e, jsonb_each_text(e.payload) AS j;
--@ v: latest < orders.total; email < users.email
CREATE VIEW v AS SELECT u.email, l.total AS latest FROM users u LEFT JOIN LATERAL (SELECT o.total FROM orders o WHERE o.user_id = u.id ORDER BY o.created_at DESC LIMIT 1) l ON true;
--@ v: m < orders.total
CREATE VIEW v AS SELECT (SELECT max(o.total) FROM orders o WHERE o.user_id = u.id) AS m FROM users u;
--@ v: email < users.email
CREATE VIEW v AS SELECT email FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id AND o.note <> '');
--@ v: email < users.email
CREATE VIEW v AS SELECT email FROM users WHERE id IN (SELECT user_id FROM consents WHERE granted);
--@ v: id < users.id orders.id?; x < users.email
CREATE VIEW v AS SELECT u.id, u.email AS x FROM users u JOIN orders o USING (id);
--@ archive_users: id < users.id; email < users.email
WITH gone AS (DELETE FROM users WHERE created_at < now() RETURNING id, email) INSERT INTO archive_users (id, email) SELECT id, email FROM gone;
--@ archive_users: * < users.*
WITH gone AS (DELETE FROM users WHERE city = 'x' RETURNING *) INSERT INTO archive_users SELECT * FROM gone;
--@ contacts: user_id < users.id; email < users.email
INSERT INTO contacts (user_id, email) SELECT id, email FROM users ON CONFLICT (user_id) DO UPDATE SET email = excluded.email;
--@ contacts: user_id < users.id; email < users.email; phone < users.email
INSERT INTO contacts (user_id, email) SELECT id, email FROM users ON CONFLICT (user_id) DO UPDATE SET phone = excluded.email;
--@ profile: doc < users.email users.first_name
INSERT INTO profile (doc) SELECT jsonb_build_object('mail', email, 'first', first_name) FROM users;
--@ profile: user_id < users.id; display < users.first_name
INSERT INTO profile (user_id, display) VALUES ((SELECT max(id) FROM users), (SELECT first_name FROM users LIMIT 1));
--@ report: k < users.city; n < users.id?; label < users.email users.id?
INSERT INTO report (k, n, label) SELECT city, count(DISTINCT id), string_agg(email, ',' ORDER BY id) FROM users GROUP BY city HAVING count(phone) > 3;
--@ t: email < users.email; d < orders.created_at
SELECT u.email, date_trunc('day', o.created_at) AS d INTO t FROM users u JOIN orders o ON o.user_id = u.id;
--@ contacts: email < users.email
CREATE TEMP TABLE recent AS SELECT email AS mail FROM users; INSERT INTO contacts (email) SELECT mail FROM recent;
--@ contacts: name < employees.full_name
CREATE TEMP TABLE a AS SELECT full_name AS n FROM employees; CREATE TEMP TABLE b AS SELECT upper(n) AS m FROM a; INSERT INTO contacts (name) SELECT m FROM b;
--@ v: x < users.email
CREATE VIEW v AS SELECT x FROM (SELECT email AS x, phone FROM (SELECT * FROM users) AS inside) AS outside;
--@ v: a < orders.total; b < items.price items.qty
CREATE VIEW v AS SELECT o.total AS a, i.price * i.qty AS b FROM orders o JOIN items i ON i.order_id = o.id;
--@ v: a < users.first_name; b < employees.full_name
CREATE VIEW v AS SELECT a.first_name AS a, b.full_name AS b FROM users a CROSS JOIN employees b;
--@ v: mgr < employees.full_name; name < employees.full_name
CREATE VIEW v AS SELECT e.full_name AS name, m.full_name AS mgr FROM employees e LEFT JOIN employees m ON m.id = e.manager_id;
--@ v: lat < users.email
CREATE VIEW v AS SELECT DISTINCT ON (city) email AS lat FROM users ORDER BY city, created_at DESC;
--@ v: total < orders.total; status < orders.status
CREATE VIEW v AS SELECT status, sum(total) FILTER (WHERE note IS NOT NULL) AS total FROM orders GROUP BY ROLLUP (status);
--@ v: p < orders.total
CREATE VIEW v AS SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total) AS p FROM orders;
--@ v: y < users.created_at; local < users.email
CREATE VIEW v AS SELECT extract(year FROM created_at) AS y, split_part(email, '@', 1) AS local FROM users;
--@ v: doc < users.id users.email users.first_name users.last_name users.phone users.city users.created_at users.payload
CREATE VIEW v AS SELECT row_to_json(u) AS doc FROM users u;
--@ v: arr < users.email users.phone
CREATE VIEW v AS SELECT ARRAY[email, phone] AS arr FROM users;
--@ v: x < users.city; w < orders.total
CREATE VIEW v AS SELECT u.city AS x, sum(o.total) OVER w AS w FROM users u JOIN orders o ON o.user_id = u.id WINDOW w AS (PARTITION BY u.id);
