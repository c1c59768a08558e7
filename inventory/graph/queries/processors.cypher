// The organisations that receive data.
// parameters: as_of, after = "", limit = 100
// columns: key, node, cursor
MATCH (n:Processor)
WHERE n.key > $after AND n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
RETURN n.key AS key, properties(n) AS node, n.key AS cursor
ORDER BY cursor LIMIT $limit
