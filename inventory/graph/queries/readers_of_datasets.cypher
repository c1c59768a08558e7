// Who may read datasets: all of one, by its system or by itself, or one of its fields (`source`).
// parameters: keys, as_of
// columns: key, source, edge, node
CALL {
  MATCH (d:Dataset)
  WHERE d.urn IN $keys
  MATCH (d)-[r:READABLE_BY]->(p:Principal)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN d.urn AS key, d.urn AS source, r, p
  UNION
  MATCH (d:Dataset)
  WHERE d.urn IN $keys
  MATCH (d)-[i:CONTAINS]->(f:Field)
  WHERE i.valid_from <= $as_of AND coalesce(i.valid_to, '9') > $as_of
  MATCH (f)-[r:READABLE_BY]->(p:Principal)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN d.urn AS key, f.urn AS source, r, p
  UNION
  MATCH (d:Dataset)
  WHERE d.urn IN $keys
  MATCH (s:System)-[i:CONTAINS]->(d)
  WHERE i.valid_from <= $as_of AND coalesce(i.valid_to, '9') > $as_of
  MATCH (s)-[r:READABLE_BY]->(p:Principal)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN d.urn AS key, s.urn AS source, r, p
}
RETURN key, source, properties(r) AS edge, properties(p) AS node
ORDER BY key, p.name, source
