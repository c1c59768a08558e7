// The datasets of systems; a page of each.
// parameters: keys, as_of, after = "", limit = 100
// columns: key, node, cursor
UNWIND $keys AS key
CALL {
  WITH key
  MATCH (:System {urn: key})-[r:CONTAINS]->(n:Dataset)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  WITH n, n.urn AS cursor
  WHERE cursor > $after
  RETURN n, cursor
  ORDER BY cursor LIMIT $limit
}
RETURN key, properties(n) AS node, cursor
ORDER BY key, cursor
