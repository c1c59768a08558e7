// Nodes whose name or key holds a text: exact names first, then names that begin with it, then the others.
// parameters: text, labels = ["Category","System","Dataset","Field","Processor"], as_of, after = "", limit = 50
// columns: key, label, node, cursor
MATCH (n:Category|System|Dataset|Field|Processor)
WHERE labels(n)[0] IN $labels AND n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
WITH n, labels(n)[0] AS label, coalesce(n.urn, n.key) AS key, toLower(coalesce(n.name, '')) AS name,
  toLower(trim($text)) AS text
WHERE text <> '' AND (name CONTAINS text OR toLower(key) CONTAINS text)
WITH n, label, key,
  CASE WHEN name = text OR toLower(key) = text THEN '0' WHEN name STARTS WITH text THEN '1'
    WHEN name CONTAINS text THEN '2' ELSE '3' END + ' ' + name + ' ' + key AS cursor
WHERE cursor > $after
RETURN key, label, properties(n) AS node, cursor
ORDER BY cursor LIMIT $limit
