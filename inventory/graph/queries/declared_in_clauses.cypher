// What clauses declare.
// parameters: keys, as_of
// columns: key, label, node
MATCH (n)-[r:DECLARED_IN]->(c:Clause)
WHERE c.key IN $keys AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
WITH DISTINCT c.key AS key, n
RETURN key, labels(n)[0] AS label, properties(n) AS node
ORDER BY key, label, coalesce(n.urn, n.key)
