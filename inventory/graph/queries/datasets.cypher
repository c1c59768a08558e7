// The datasets of a system.
// parameters: system, as_of, after = "", limit = 100
// columns: key, node, cursor
MATCH (:System {urn: $system})-[r:CONTAINS]->(n:Dataset)
WHERE n.urn > $after AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
RETURN n.urn AS key, properties(n) AS node, n.urn AS cursor
ORDER BY cursor LIMIT $limit
