// The fields whose keys the values of fields are.
// parameters: keys, as_of
// columns: key, edge, node
MATCH (f:Field)-[r:REFERENCES]->(n:Field)
WHERE f.urn IN $keys AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
RETURN f.urn AS key, properties(r) AS edge, properties(n) AS node
ORDER BY key, r.group, r.position, n.urn
