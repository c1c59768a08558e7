// The fields of a dataset, in its order.
// parameters: dataset, as_of, after = "", limit = 100
// columns: key, node, cursor
MATCH (:Dataset {urn: $dataset})-[r:CONTAINS]->(n:Field)
WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
WITH n, right('00000' + toString(coalesce(n.position, 0)), 6) + ' ' + n.urn AS cursor
WHERE cursor > $after
RETURN n.urn AS key, properties(n) AS node, cursor
ORDER BY cursor LIMIT $limit
