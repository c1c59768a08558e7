// Jobs that define a dataset, with their statement.
// parameters: as_of, after = "", limit = 100
// columns: key, dataset, node, cursor
MATCH (d:Dataset)-[r:DEFINED_BY]->(n:Job)
WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
WITH d, n, n.urn + ' ' + d.urn AS cursor
WHERE cursor > $after
RETURN n.urn AS key, d.urn AS dataset, properties(n) AS node, cursor
ORDER BY cursor LIMIT $limit
