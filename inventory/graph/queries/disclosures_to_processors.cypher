// What is disclosed to organisations, declared and observed; a page of each.
// parameters: keys, as_of, after = "", limit = 100
// columns: key, edge, label, node, processor, cursor
UNWIND $keys AS key
CALL {
  WITH key
  MATCH (n)-[r:DISCLOSED_TO]->(:Processor {key: key})
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  WITH n, r, coalesce(n.urn, n.key) + ' ' + r.id AS cursor
  WHERE cursor > $after
  RETURN n, r, cursor
  ORDER BY cursor LIMIT $limit
}
RETURN key, properties(r) AS edge, labels(n)[0] AS label, properties(n) AS node, key AS processor, cursor
ORDER BY key, cursor
