// The fields whose keys lead to these fields, or to a field of these datasets.
// parameters: keys, as_of
// columns: key, source, edge
CALL {
  UNWIND $keys AS key
  MATCH (s:Field)-[r:REFERENCES]->(f:Field {urn: key})
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN key, s, r
  UNION
  UNWIND $keys AS key
  MATCH (s:Field)-[r:REFERENCES]->(:Field)<-[:CONTAINS]-(d:Dataset {urn: key})
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN key, s, r
}
RETURN key, s.urn AS source, properties(r) AS edge
ORDER BY key, source, r.id
