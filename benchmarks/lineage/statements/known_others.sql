-- dialect: mysql
--@ contacts: email < users.email; phone < users.phone
UPDATE contacts c JOIN users u ON u.id = c.user_id SET c.email = u.email, c.phone = u.phone;
--@ contacts: user_id < users.id; email < users.email
INSERT INTO contacts (user_id, email) SELECT id, email FROM users ON DUPLICATE KEY UPDATE email = VALUES(email);
--@ contacts: user_id < users.id; email < users.email
REPLACE INTO contacts (user_id, email) SELECT id, email FROM users;
--@ contacts: email < users.email
INSERT INTO contacts SET email = (SELECT email FROM users LIMIT 1);
--@ v: Mail < users.email
CREATE VIEW v AS SELECT `u`.`Email` AS `Mail` FROM `users` `u`;
--@ v: n < users.first_name users.last_name
CREATE VIEW v AS SELECT CONCAT_WS(' ', first_name, last_name) AS n FROM users;
--@ v: m < users.payload
CREATE VIEW v AS SELECT JSON_UNQUOTE(JSON_EXTRACT(payload, '$.email')) AS m FROM users;
--@ v: m < users.payload
CREATE VIEW v AS SELECT payload->>'$.email' AS m FROM users;
--@ v: g < users.email users.id?
CREATE VIEW v AS SELECT GROUP_CONCAT(email ORDER BY id SEPARATOR ';') AS g FROM users;
--@ v: c < users.phone users.city?
CREATE VIEW v AS SELECT IF(city = 'a', phone, NULL) AS c FROM users;
--@ v: h < users.email
CREATE VIEW v AS SELECT SHA2(email, 256) AS h FROM users;
--@ archive_users: * < users.*
INSERT IGNORE INTO archive_users SELECT * FROM users;
--@ v: f < users.email users.phone
CREATE VIEW v AS SELECT IFNULL(email, phone) AS f FROM users;
--@ t: email < users.email; d < users.created_at
CREATE TABLE t SELECT email, DATE_FORMAT(created_at, '%Y') AS d FROM users;
--@ v: a < users.email; b < orders.note
CREATE VIEW v AS SELECT u.email AS a, o.note AS b FROM users u STRAIGHT_JOIN orders o;
-- dialect: snowflake
--@ V: MAIL < users.payload
CREATE VIEW v AS SELECT payload:email::string AS mail FROM users;
--@ V: C < users.payload
CREATE VIEW v AS SELECT payload:address.city AS c FROM users;
--@ V: TAG < events.tags; ID < events.id
CREATE VIEW v AS SELECT e.id, f.value::string AS tag FROM events e, LATERAL FLATTEN(input => e.tags) f;
--@ V: E < users.email
CREATE OR REPLACE TABLE v AS SELECT email AS e FROM users QUALIFY row_number() OVER (PARTITION BY city ORDER BY created_at DESC) = 1;
--@ CONTACTS: EMAIL < users.email; CITY < users.city; USER_ID < users.id
MERGE INTO contacts t USING (SELECT id, email, city FROM users) s ON t.user_id = s.id WHEN MATCHED THEN UPDATE SET t.email = s.email, t.city = s.city WHEN NOT MATCHED THEN INSERT (user_id, email) VALUES (s.id, s.email);
--@ V: A < users.email; B < users.email
CREATE VIEW v AS SELECT lower(email) AS a, upper(a) AS b FROM users;
--@ V: N < users.first_name; S < users.last_name
CREATE VIEW v AS SELECT $1 AS n, $2 AS s FROM (SELECT first_name, last_name FROM users);
--@ V: ID < users.id; FIRST_NAME < users.first_name; LAST_NAME < users.last_name; PHONE < users.phone; CITY < users.city; CREATED_AT < users.created_at; PAYLOAD < users.payload
CREATE VIEW v AS SELECT * EXCLUDE (email) FROM users;
--@ V: H < users.email
CREATE VIEW v AS SELECT sha2(email, 256) AS h FROM users;
--@ V: L < users.email
CREATE VIEW v AS SELECT listagg(email, ',') WITHIN GROUP (ORDER BY email) AS l FROM users;
--@ V: X < users.phone users.city?
CREATE VIEW v AS SELECT iff(city = 'x', phone, NULL) AS x FROM users;
--@ V: O < users.email users.phone
CREATE VIEW v AS SELECT object_construct('e', email, 'p', phone) AS o FROM users;
-- dialect: bigquery
--@ v: email < users.email
CREATE OR REPLACE VIEW v AS SELECT email FROM `users`;
--@ v: id < users.id; first_name < users.first_name; last_name < users.last_name; city < users.city; created_at < users.created_at; payload < users.payload
CREATE VIEW v AS SELECT * EXCEPT (email, phone) FROM users;
--@ v: id < users.id; email < users.email; first_name < users.first_name; last_name < users.last_name; phone < users.phone; city < users.city; created_at < users.created_at; payload < users.payload
CREATE VIEW v AS SELECT * REPLACE (lower(email) AS email) FROM users;
--@ v: tag < events.tags; id < events.id
CREATE VIEW v AS SELECT e.id, tag FROM events AS e, UNNEST(e.tags) AS tag;
--@ v: m < users.payload
CREATE VIEW v AS SELECT JSON_VALUE(payload, '$.email') AS m FROM users;
--@ v: m < users.payload
CREATE VIEW v AS SELECT u.payload.contact.email AS m FROM users u;
--@ v: s < users.email users.phone
CREATE VIEW v AS SELECT STRUCT(email AS e, phone AS p) AS s FROM users;
--@ v: d < users.city; n < users.id?
CREATE VIEW v AS SELECT city AS d, COUNT(DISTINCT id) AS n FROM users GROUP BY 1;
--@ v: h < users.email
CREATE VIEW v AS SELECT TO_HEX(SHA256(email)) AS h FROM users;
--@ archive_users: * < users.*
MERGE archive_users t USING users s ON t.id = s.id WHEN NOT MATCHED THEN INSERT ROW;
--@ v: a < users.email
CREATE TABLE v PARTITION BY DATE(created_at) AS SELECT ARRAY_AGG(email IGNORE NULLS ORDER BY created_at LIMIT 5) AS a FROM users GROUP BY city;
--@ v: y < users.phone
CREATE VIEW v AS SELECT SAFE_CAST(phone AS INT64) AS y FROM users;
-- dialect: tsql
--@ t: email < users.email
SELECT email INTO t FROM users;
--@ contacts: email < users.email
SELECT u.email INTO #tmp FROM users u; INSERT INTO contacts (email) SELECT email FROM #tmp;
--@ contacts: city < addresses.city
UPDATE c SET c.city = a.city FROM contacts c INNER JOIN addresses a ON a.user_id = c.user_id;
--@ v: n < users.first_name users.last_name
CREATE VIEW v AS SELECT [first_name] + ' ' + [last_name] AS n FROM [users];
--@ v: n < users.first_name
CREATE VIEW v AS SELECT TOP 10 n = first_name FROM users;
--@ v: x < orders.total; e < users.email
CREATE VIEW v AS SELECT u.email AS e, a.total AS x FROM users u CROSS APPLY (SELECT TOP 1 o.total FROM orders o WHERE o.user_id = u.id) a;
--@ v: h < users.email
CREATE VIEW v AS SELECT HASHBYTES('SHA2_256', email) AS h FROM users;
--@ v: e < users.email users.phone
CREATE VIEW v AS SELECT ISNULL(email, phone) AS e FROM users;
--@ v: m < users.payload
CREATE VIEW v AS SELECT JSON_VALUE(payload, '$.email') AS m FROM users;
--@ contacts: email < users.email; user_id < users.id
MERGE contacts AS t USING users AS s ON t.user_id = s.id WHEN MATCHED THEN UPDATE SET t.email = s.email WHEN NOT MATCHED BY TARGET THEN INSERT (user_id, email) VALUES (s.id, s.email);
-- dialect: spark
--@ archive_users: * < users.*
INSERT OVERWRITE TABLE archive_users SELECT * FROM users;
--@ v: t < events.tags; id < events.id
CREATE VIEW v AS SELECT e.id, x.t FROM events e LATERAL VIEW explode(e.tags) x AS t;
--@ v: t < events.tags
CREATE VIEW v AS SELECT explode(tags) AS t FROM events;
--@ v: c < users.payload
CREATE VIEW v AS SELECT get_json_object(payload, '$.city') AS c FROM users;
--@ v: l < users.email
CREATE VIEW v AS SELECT collect_set(email) AS l FROM users GROUP BY city;
--@ v: h < users.email
CREATE VIEW v AS SELECT sha2(lower(email), 256) AS h FROM users;
--@ t: a < users.email
CREATE TABLE t USING parquet AS SELECT email AS a FROM users;
--@ v: s < users.email users.phone
CREATE VIEW v AS SELECT named_struct('e', email, 'p', phone) AS s FROM users;
-- dialect: databricks
--@ archive_users: * < users.*
MERGE INTO archive_users t USING users s ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *;
--@ v: m < users.payload
CREATE VIEW v AS SELECT payload:contact.email AS m FROM users;
-- dialect: hive
--@ contacts: email < users.email
--@ report: label < users.city
FROM users INSERT INTO TABLE contacts (email) SELECT email INSERT INTO TABLE report (label) SELECT city;
--@ v: w < users.payload
CREATE VIEW v AS SELECT get_json_object(payload, '$.w') AS w FROM users;
-- dialect: redshift
--@ v: e < users.email
CREATE VIEW v AS SELECT email AS e FROM users WITH NO SCHEMA BINDING;
--@ t: e < users.email; l < users.email
CREATE TABLE t DISTKEY (e) AS SELECT email AS e, left(e, 3) AS l FROM users;
--@ v: n < users.first_name users.phone
CREATE VIEW v AS SELECT NVL(first_name, phone) AS n FROM users;
-- dialect: oracle
--@ V: D < users.city? users.phone
CREATE VIEW v AS SELECT DECODE(city, 'a', phone, NULL) AS d FROM users;
--@ V: N < users.first_name users.last_name
CREATE VIEW v AS SELECT first_name || ' ' || last_name AS n FROM users;
--@ CONTACTS: EMAIL < users.email
--@ REPORT: LABEL < users.city
INSERT ALL INTO contacts (email) VALUES (e) INTO report (label) VALUES (c) SELECT email AS e, city AS c FROM users;
--@ V: N < users.first_name users.phone
CREATE VIEW v AS SELECT NVL(first_name, phone) AS n FROM users;
--@ V: FULL_NAME < employees.full_name; LV <
CREATE VIEW v AS SELECT full_name, LEVEL AS lv FROM employees START WITH manager_id IS NULL CONNECT BY PRIOR id = manager_id;
-- dialect: sqlite
--@ V: E < users.email
CREATE VIEW V AS SELECT Email AS E FROM Users;
--@ v: k < events.payload; id < events.id
CREATE VIEW v AS SELECT e.id, j.value AS k FROM events e, json_each(e.payload) j;
--@ v: m < users.payload
CREATE VIEW v AS SELECT json_extract(payload, '$.email') AS m FROM users;
--@ contacts: user_id < users.id; email < users.email
INSERT OR REPLACE INTO contacts (user_id, email) SELECT id, email FROM users;
--@ v: g < users.email
CREATE VIEW v AS SELECT group_concat(email, ';') AS g FROM users;
-- dialect: duckdb
--@ v: id < users.id; city < users.city
CREATE VIEW v AS SELECT COLUMNS(['id', 'city']) FROM users;
--@ v: * < users.*
CREATE VIEW v AS FROM users;
--@ v: t < events.tags
CREATE VIEW v AS SELECT unnest(tags) AS t FROM events;
--@ v: s < users.email users.phone
CREATE VIEW v AS SELECT {'e': email, 'p': phone} AS s FROM users;
--@ contacts: email < users.email; city < users.city
INSERT INTO contacts BY NAME SELECT city, email FROM users;
--@ v: id < users.id; email < users.email; first_name < users.first_name; last_name < users.last_name; city < users.city; created_at < users.created_at; payload < users.payload
CREATE VIEW v AS SELECT * EXCLUDE (phone) FROM users;
-- dialect: clickhouse
--@ contacts: email < users.email; user_id < users.id
CREATE MATERIALIZED VIEW mv TO contacts AS SELECT id AS user_id, email FROM users;
--@ v: h < users.email
CREATE VIEW v AS SELECT sipHash64(email) AS h FROM users;
--@ v: t < events.tags; id < events.id
CREATE VIEW v AS SELECT id, t FROM events ARRAY JOIN tags AS t;
--@ v: a < users.email users.created_at?
CREATE VIEW v AS SELECT argMax(email, created_at) AS a FROM users GROUP BY city;
-- dialect: trino
--@ v: t < events.tags; id < events.id
CREATE VIEW v AS SELECT e.id, x.t FROM events e CROSS JOIN UNNEST(e.tags) AS x (t);
--@ v: m < users.payload
CREATE VIEW v AS SELECT json_extract_scalar(payload, '$.email') AS m FROM users;
--@ v: h < users.email
CREATE VIEW v AS SELECT to_hex(sha256(to_utf8(email))) AS h FROM users;
--@ t: a < users.email users.created_at?
CREATE TABLE t AS SELECT max_by(email, created_at) AS a FROM users GROUP BY city;
--@ v: f < users.email
CREATE VIEW v AS SELECT try_cast(email AS varchar) AS f FROM users;
