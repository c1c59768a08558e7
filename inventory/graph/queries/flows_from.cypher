// Flows that begin at datasets and fields; a page of each.
// parameters: keys, as_of, after = "", limit = 100
// columns: key, edge, label, node, cursor
UNWIND $keys AS key
CALL {
  WITH key
  MATCH (:Dataset {urn: key})-[r:FLOWS_TO]->(n)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN r, n
  UNION
  WITH key
  MATCH (:Field {urn: key})-[r:FLOWS_TO]->(n)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN r, n
}
WITH key, r, n, n.urn + ' ' + r.id AS cursor
WHERE cursor > $after
WITH key, r, n, cursor
ORDER BY key, cursor
WITH key, collect({edge: properties(r), label: labels(n)[0], node: properties(n), cursor: cursor})[..$limit] AS found
UNWIND found AS one
RETURN key, one.edge AS edge, one.label AS label, one.node AS node, one.cursor AS cursor
ORDER BY key, cursor
