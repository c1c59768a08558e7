// What is amiss in systems or their datasets; a page of each.
// parameters: keys, as_of, after = "", limit = 100
// columns: key, node, cursor
UNWIND $keys AS key
CALL {
  WITH key
  MATCH (n:Finding {about: key})
  RETURN n
  UNION
  WITH key
  MATCH (:System {urn: key})-[i:CONTAINS]->(d:Dataset)
  WHERE i.valid_from <= $as_of AND coalesce(i.valid_to, '9') > $as_of
  MATCH (n:Finding {about: d.urn})
  RETURN n
}
WITH DISTINCT key, n, n.urn AS cursor
WHERE cursor > $after AND n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
WITH key, n, cursor
ORDER BY key, cursor
WITH key, collect(properties(n))[..$limit] AS found
UNWIND found AS node
RETURN key, node, node.urn AS cursor
ORDER BY key, cursor
