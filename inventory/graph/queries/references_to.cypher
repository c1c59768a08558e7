// The fields whose keys lead to these fields, or to a field of these datasets.
// parameters: keys, as_of
// columns: key, source, edge
CALL {
  MATCH (s:Field)-[r:REFERENCES]->(f:Field)
  WHERE f.urn IN $keys AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN f.urn AS key, s, r
  UNION
  MATCH (s:Field)-[r:REFERENCES]->(:Field)<-[:CONTAINS]-(d:Dataset)
  WHERE d.urn IN $keys AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN d.urn AS key, s, r
}
RETURN key, s.urn AS source, properties(r) AS edge
ORDER BY key, source, r.id
