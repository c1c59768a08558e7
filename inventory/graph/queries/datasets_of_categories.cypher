// The datasets whose records are of categories, or of one below them (an access log, an audit trail); a page of each.
// parameters: keys, as_of, after = "", limit = 100
// columns: key, node, edge, cursor
UNWIND $keys AS key
CALL {
  WITH key
  MATCH (c:Category)
  WHERE c.key = key OR c.key STARTS WITH key + '.'
  MATCH (n:Dataset)-[r:CLASSIFIED_AS]->(c)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of AND r.state <> 'rejected'
  WITH n, r, c, n.urn + ' ' + c.key AS cursor
  WHERE cursor > $after
  RETURN n, r, c, cursor
  ORDER BY cursor LIMIT $limit
}
RETURN key, properties(n) AS node, r{.*, category: c.key} AS edge, cursor
ORDER BY key, cursor
