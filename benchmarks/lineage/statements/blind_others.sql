-- dialect: mysql
--@ v: a < users.email; b < orders.total
CREATE VIEW v AS SELECT u.email AS a, o.total AS b FROM users u INNER JOIN orders o USING (id);
--@ v: email < users.email
CREATE ALGORITHM=MERGE DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `v` AS select `users`.`email` AS `email` from `users`;
--@ contacts: email < users.email; name < users.first_name
UPDATE contacts, users SET contacts.email = users.email, contacts.name = users.first_name WHERE users.id = contacts.user_id;
--@ contacts: name < users.first_name users.last_name
INSERT INTO contacts (user_id, name) SELECT NULL, CONCAT(first_name, ' ', UPPER(last_name)) FROM users LIMIT 10;
--@ v: h < users.email
CREATE VIEW v AS SELECT SHA1(LOWER(TRIM(email))) AS h FROM users;
--@ v: s < users.phone
CREATE VIEW v AS SELECT SUBSTRING_INDEX(phone, '-', 1) AS s FROM users;
--@ v: y < users.created_at
CREATE VIEW v AS SELECT YEAR(created_at) AS y FROM users;
--@ v: a < events.payload
CREATE VIEW v AS SELECT jt.a FROM events e, JSON_TABLE(e.payload, '$[*]' COLUMNS (a VARCHAR(40) PATH '$.a')) AS jt;
--@ v: r < orders.total
CREATE VIEW v AS WITH s AS (SELECT SUM(total) AS r FROM orders GROUP BY user_id) SELECT r FROM s;
--@ archive_users: id < users.id; email < users.email
INSERT INTO archive_users (id, email) SELECT id, email FROM users u WHERE NOT EXISTS (SELECT 1 FROM archive_users a WHERE a.id = u.id);
--@ t: id < users.id; email < users.email
CREATE TABLE IF NOT EXISTS t AS SELECT id, email FROM users;
--@ v: a < users.email users.phone
CREATE VIEW v AS SELECT COALESCE(NULLIF(email, ''), phone) AS a FROM users;
--@ v: e < users.email
CREATE VIEW v AS SELECT CONVERT(email USING utf8mb4) AS e FROM users;
--@ v: e < users.email
CREATE VIEW v AS SELECT HEX(AES_ENCRYPT(email, 'k')) AS e FROM users;
-- dialect: snowflake
--@ V: EMAIL < users.email; TOTAL < orders.total
CREATE VIEW v AS SELECT u.email, o.total FROM users u JOIN orders o ON u.id = o.user_id;
--@ V: K < events.payload; X < events.payload
CREATE VIEW v AS SELECT f.key AS k, f.value:x::number AS x FROM events, LATERAL FLATTEN(input => payload:items) f;
--@ V: A < users.payload
CREATE VIEW v AS SELECT GET_PATH(payload, 'address.street') AS a FROM users;
--@ V: A < users.payload
CREATE VIEW v AS SELECT payload['contact']['email'] AS a FROM users;
--@ T: EMAIL < users.email; R < users.created_at?
CREATE TRANSIENT TABLE t AS SELECT email, ROW_NUMBER() OVER (ORDER BY created_at) AS r FROM users;
--@ CONTACTS: EMAIL < users.email; PHONE < users.phone
INSERT INTO contacts (email, phone) SELECT email, phone FROM users;
--@ CONTACTS: EMAIL < users.email
INSERT OVERWRITE INTO contacts (email) SELECT email FROM users;
--@ V: N < users.first_name users.last_name
CREATE SECURE VIEW v AS SELECT first_name || COALESCE(last_name, '') AS n FROM users;
--@ V: A < users.email users.phone
CREATE VIEW v AS SELECT ARRAY_CONSTRUCT(email, phone) AS a FROM users;
--@ V: D < users.created_at; H < users.email
CREATE VIEW v AS SELECT DATEADD(day, 1, created_at) AS d, MD5_HEX(email) AS h FROM users;
--@ V: X < users.phone users.email users.city?
CREATE VIEW v AS SELECT NVL2(city, phone, email) AS x FROM users;
--@ V: ID < users.id; EMAIL < users.email
CREATE VIEW v AS SELECT t.id, t.email FROM (SELECT * FROM users) AS t SAMPLE (10);
--@ V: WHO < users.email
CREATE VIEW v AS SELECT email AS who FROM users AT (OFFSET => -60);
--@ AUDIT: WHO < users.email
--@ REPORT: LABEL < users.city
INSERT ALL INTO audit (who) VALUES (email) INTO report (label) VALUES (city) SELECT email, city FROM users;
--@ V: B < orders.total; A < orders.total
CREATE VIEW v AS SELECT SUM(total) AS a, a * 2 AS b FROM orders;
-- dialect: bigquery
--@ v: e < users.email; n < orders.id?
CREATE VIEW v AS SELECT u.email AS e, COUNT(o.id) AS n FROM users AS u LEFT JOIN orders AS o ON o.user_id = u.id GROUP BY u.email;
--@ v: c < users.payload
CREATE VIEW v AS SELECT payload.city AS c FROM users;
--@ v: k < events.tags; o <
CREATE VIEW v AS SELECT t AS k, o FROM events CROSS JOIN UNNEST(tags) AS t WITH OFFSET AS o;
--@ v: f < events.tags
CREATE VIEW v AS SELECT tags[OFFSET(0)] AS f FROM events;
--@ v: f < events.tags
CREATE VIEW v AS SELECT tags[SAFE_OFFSET(0)].name AS f FROM events;
--@ v: l < events.tags
CREATE VIEW v AS SELECT ARRAY(SELECT UPPER(t) FROM UNNEST(tags) AS t) AS l FROM events;
--@ t: email < users.email; at < events.at
CREATE TABLE t AS SELECT email, at FROM users JOIN events ON users.id = events.user_id QUALIFY ROW_NUMBER() OVER (PARTITION BY email ORDER BY at DESC) = 1;
--@ contacts: email < users.email; user_id < users.id
MERGE contacts c USING (SELECT id, email FROM users) u ON c.user_id = u.id WHEN MATCHED THEN UPDATE SET email = u.email WHEN NOT MATCHED BY TARGET THEN INSERT (user_id, email) VALUES (id, email);
--@ contacts: city < addresses.city
UPDATE contacts c SET c.city = a.city FROM addresses a WHERE a.user_id = c.user_id;
--@ v: x < users.email
CREATE VIEW v AS SELECT FARM_FINGERPRINT(email) AS x FROM users;
--@ v: d < users.created_at; m < users.email
CREATE VIEW v AS SELECT FORMAT_DATE('%Y', DATE(created_at)) AS d, REGEXP_EXTRACT(email, '@(.*)') AS m FROM users;
--@ v: s < users.email users.phone
CREATE VIEW v AS SELECT TO_JSON_STRING(STRUCT(email, phone)) AS s FROM users;
--@ v: p < orders.total; status < orders.status
CREATE VIEW v AS SELECT status, APPROX_QUANTILES(total, 100)[OFFSET(50)] AS p FROM orders GROUP BY status;
--@ v: who < users.email employees.work_email
CREATE VIEW v AS SELECT email AS who FROM users UNION DISTINCT SELECT work_email FROM employees;
-- dialect: tsql
--@ v: a < users.email; t < orders.total
CREATE VIEW v AS SELECT u.email AS a, o.total AS t FROM users AS u LEFT JOIN orders AS o ON o.user_id = u.id;
--@ v: e < users.email
CREATE VIEW v AS SELECT IIF(1 = 1, email, NULL) AS e FROM users;
--@ v: e < users.email
CREATE VIEW v AS SELECT CAST(email AS NVARCHAR(100)) AS e FROM users WITH (NOLOCK);
--@ v: e < users.email
CREATE VIEW v AS SELECT CONVERT(VARCHAR(10), email) AS e FROM users;
--@ v: m < users.email users.id?
CREATE VIEW v AS SELECT STRING_AGG(email, ',') WITHIN GROUP (ORDER BY id) AS m FROM users;
--@ contacts: email < users.email
INSERT INTO contacts (email) SELECT TOP (5) email FROM users ORDER BY created_at;
--@ contacts: phone < users.phone
UPDATE contacts SET phone = u.phone FROM users u WHERE u.id = contacts.user_id;
--@ v: x < events.payload
CREATE VIEW v AS SELECT j.value AS x FROM events CROSS APPLY OPENJSON(payload) AS j;
--@ v: x < events.tags
CREATE VIEW v AS SELECT s.value AS x FROM events e CROSS APPLY STRING_SPLIT(e.tags, ',') s;
--@ contacts: name < employees.full_name
WITH e AS (SELECT full_name FROM employees) INSERT INTO contacts (name) SELECT full_name FROM e;
--@ v: last < users.last_name
CREATE VIEW v AS SELECT last = UPPER(u.last_name) FROM users u;
-- dialect: spark
--@ contacts: email < users.email; user_id < users.id
INSERT INTO contacts (user_id, email) SELECT id, email FROM users;
--@ contacts: email < users.email
INSERT INTO TABLE contacts (email) SELECT email FROM users DISTRIBUTE BY email;
--@ v: k < events.payload; w < events.payload
CREATE VIEW v AS SELECT k, w FROM events LATERAL VIEW explode(from_json(payload, 'map<string,string>')) t AS k, w;
--@ v: a < users.email
CREATE VIEW v AS SELECT concat_ws(',', collect_list(email)) AS a FROM users;
--@ v: a < users.email users.created_at?
CREATE VIEW v AS SELECT max_by(email, created_at) AS a FROM users;
--@ v: a < events.tags
CREATE VIEW v AS SELECT transform(tags, x -> upper(x)) AS a FROM events;
--@ v: c < users.payload
CREATE VIEW v AS SELECT payload.city AS c FROM users;
--@ v: h < users.email
CREATE VIEW v AS SELECT xxhash64(email) AS h FROM users;
--@ v: m < users.email
CREATE VIEW v AS SELECT mask(email) AS m FROM users;
--@ v: id < users.id orders.id?; email < users.email
CREATE VIEW v AS SELECT u.id, u.email FROM users u LEFT SEMI JOIN orders o ON u.id = o.user_id;
--@ t: city < users.city; n < users.id?
CREATE OR REPLACE TABLE t USING delta PARTITIONED BY (city) AS SELECT city, count(id) AS n FROM users GROUP BY city;
-- dialect: databricks
--@ v: id < users.id; first_name < users.first_name; last_name < users.last_name; phone < users.phone; city < users.city; created_at < users.created_at
CREATE VIEW v AS SELECT * EXCEPT (email, payload) FROM users;
--@ contacts: email < users.email; user_id < users.id
MERGE INTO contacts USING users ON contacts.user_id = users.id WHEN MATCHED THEN UPDATE SET contacts.email = users.email WHEN NOT MATCHED THEN INSERT (user_id, email) VALUES (users.id, users.email);
-- dialect: hive
--@ report: k < users.city; n < users.id?
INSERT OVERWRITE TABLE report SELECT city, count(id) FROM users GROUP BY city;
--@ v: t < events.tags; id < events.id
CREATE VIEW v AS SELECT id, t FROM events LATERAL VIEW OUTER explode(tags) x AS t;
--@ t: e < users.email
CREATE TABLE t STORED AS ORC AS SELECT email AS e FROM users;
-- dialect: redshift
--@ t: email < users.email; cnt < orders.id?
CREATE TABLE t SORTKEY (email) AS SELECT u.email, COUNT(o.id) AS cnt FROM users u JOIN orders o ON o.user_id = u.id GROUP BY 1;
--@ v: l < users.email
CREATE VIEW v AS SELECT LISTAGG(email, ', ') AS l FROM users;
--@ v: j < users.payload
CREATE VIEW v AS SELECT JSON_EXTRACT_PATH_TEXT(payload, 'email') AS j FROM users;
--@ contacts: email < users.email
INSERT INTO contacts (email) (SELECT email FROM users);
--@ v: h < users.email
CREATE VIEW v AS SELECT FUNC_SHA1(email) AS h FROM users;
-- dialect: oracle
--@ CONTACTS: EMAIL < users.email; USER_ID < users.id
MERGE INTO contacts c USING (SELECT id, email FROM users) u ON (c.user_id = u.id) WHEN MATCHED THEN UPDATE SET c.email = u.email WHEN NOT MATCHED THEN INSERT (user_id, email) VALUES (u.id, u.email);
--@ V: E < users.email
CREATE OR REPLACE FORCE VIEW v (e) AS SELECT email FROM users WITH READ ONLY;
--@ V: D < users.created_at; H < users.email
CREATE VIEW v AS SELECT TO_CHAR(created_at, 'YYYY') AS d, STANDARD_HASH(email, 'SHA256') AS h FROM users;
--@ V: L < users.email users.id?
CREATE VIEW v AS SELECT LISTAGG(email, ';') WITHIN GROUP (ORDER BY id) AS l FROM users;
--@ CONTACTS: EMAIL < users.email staging_users.email?
INSERT /*+ APPEND */ INTO contacts (email) SELECT email FROM users MINUS SELECT email FROM staging_users;
--@ V: R <
CREATE VIEW v AS SELECT ROWNUM AS r FROM users;
-- dialect: sqlite
--@ v: a < users.email; b < orders.note
CREATE VIEW v AS SELECT u.email a, o.note b FROM users u, orders o WHERE u.id = o.user_id;
--@ v: p < users.phone
CREATE VIEW v AS SELECT printf('%s', phone) AS p FROM users;
--@ v: x < users.email users.phone users.city?
CREATE VIEW v AS SELECT iif(city = '', email, phone) AS x FROM users;
--@ archive_users: * < users.*
INSERT INTO archive_users SELECT * FROM users WHERE true ON CONFLICT DO NOTHING;
--@ t: email < users.email
CREATE TEMP TABLE t AS SELECT DISTINCT email FROM users;
--@ v: m < users.payload
CREATE VIEW v AS SELECT payload ->> '$.email' AS m FROM users;
-- dialect: duckdb
--@ v: n < orders.id?; s < orders.total; status < orders.status
CREATE VIEW v AS SELECT status, count(id) AS n, sum(total) AS s FROM orders GROUP BY ALL;
--@ v: x < users.email
CREATE VIEW v AS SELECT x FROM (SELECT email FROM users) AS q(x);
--@ v: a < users.payload
CREATE VIEW v AS SELECT payload.contact.email AS a FROM users;
--@ t: a < events.tags
CREATE TABLE t AS SELECT list_transform(tags, x -> upper(x)) AS a FROM events;
--@ v: l < users.email
CREATE VIEW v AS SELECT list(email) AS l FROM users;
--@ v: u < users.email
CREATE VIEW v AS FROM users SELECT upper(email) AS u;
--@ archive_users: * < users.*
INSERT OR IGNORE INTO archive_users FROM users;
-- dialect: clickhouse
--@ v: e < users.email; n < orders.id?
CREATE VIEW v AS SELECT email AS e, uniqExact(o.id) AS n FROM users AS u ANY LEFT JOIN orders AS o ON o.user_id = u.id GROUP BY e;
--@ v: j < users.payload
CREATE VIEW v AS SELECT JSONExtractString(payload, 'email') AS j FROM users;
--@ v: a < users.email
CREATE VIEW v AS SELECT groupArray(email) AS a FROM users;
--@ v: x < users.phone users.email
CREATE VIEW v AS SELECT if(city = '', phone, email) AS x FROM users;
--@ contacts: email < users.email
INSERT INTO contacts (email) SELECT email FROM users FINAL;
--@ v: b < users.email; a < users.email
CREATE VIEW v AS WITH lower(email) AS m SELECT m AS a, cityHash64(m) AS b FROM users;
-- dialect: trino
--@ v: k < events.tags; w < events.tags
CREATE VIEW v AS SELECT m.k, m.w FROM events CROSS JOIN UNNEST(tags) AS m (k, w);
--@ v: e < users.email; rn < users.created_at?
CREATE VIEW v AS SELECT e, rn FROM (SELECT email AS e, row_number() OVER (ORDER BY created_at) AS rn FROM users) WHERE rn = 1;
--@ contacts: email < users.email; phone < users.phone
INSERT INTO contacts (email, phone) SELECT email, phone FROM users WHERE regexp_like(email, '@');
--@ v: a < users.email
CREATE VIEW v AS SELECT array_join(array_agg(email), ',') AS a FROM users;
--@ v: m < users.payload
CREATE VIEW v AS SELECT json_value(payload, 'lax $.email') AS m FROM users;
--@ v: d < users.created_at; f < orders.total
CREATE VIEW v AS SELECT date_trunc('month', u.created_at) AS d, sum(o.total) AS f FROM users u JOIN orders o ON o.user_id = u.id GROUP BY 1;
