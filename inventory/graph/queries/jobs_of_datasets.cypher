// What defines or writes datasets.
// parameters: keys, as_of
// columns: key, node
MATCH (d:Dataset)-[r:DEFINED_BY]->(n:Job)
WHERE d.urn IN $keys AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
RETURN d.urn AS key, properties(n) AS node
ORDER BY key, n.urn
