// Protections that systems were seen to have, or not (`edge.present`).
// parameters: keys, as_of
// columns: key, edge, node
MATCH (s:System)
WHERE s.urn IN $keys
MATCH (s)-[r:PROTECTED_BY]->(n:Safeguard)
WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
RETURN s.urn AS key, properties(r) AS edge, properties(n) AS node
ORDER BY key, n.key
