// The datasets of all systems.
// parameters: as_of, after = "", limit = 100
// columns: key, node, cursor
MATCH (n:Dataset)
WHERE n.urn > $after AND n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
RETURN n.urn AS key, properties(n) AS node, n.urn AS cursor
ORDER BY cursor LIMIT $limit
