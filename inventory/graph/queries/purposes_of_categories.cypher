// What categories are used for, by the declared map.
// parameters: keys, as_of
// columns: key, edge, node
MATCH (c:Category)
WHERE c.key IN $keys
MATCH (c)-[r:FOR_PURPOSE]->(n:Purpose)
WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
RETURN c.key AS key, properties(r) AS edge, properties(n) AS node
ORDER BY key, n.key
