// The fields classified as categories, or as one below them; a page of each. Rejected ones are left out.
// parameters: keys, as_of, after = "", limit = 100
// columns: key, node, cursor
UNWIND $keys AS key
CALL {
  WITH key
  MATCH (c:Category)
  WHERE c.key = key OR c.key STARTS WITH key + '.'
  MATCH (n:Field)-[r:CLASSIFIED_AS]->(c)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of AND r.state <> 'rejected'
  WITH DISTINCT n, n.urn AS cursor
  WHERE cursor > $after
  RETURN n, cursor
  ORDER BY cursor LIMIT $limit
}
RETURN key, properties(n) AS node, cursor
ORDER BY key, cursor
