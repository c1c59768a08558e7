// The categories directly below others.
// parameters: keys, as_of
// columns: key, node
MATCH (n:Category)-[r:BROADER]->(parent:Category)
WHERE parent.key IN $keys AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
RETURN parent.key AS key, properties(n) AS node
ORDER BY key, n.key
