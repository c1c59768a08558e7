// Whom datasets are disclosed to, by themselves or by one of their fields (`source`).
// parameters: keys, as_of
// columns: key, source, edge, node
CALL {
  MATCH (d:Dataset)
  WHERE d.urn IN $keys
  MATCH (d)-[r:DISCLOSED_TO]->(p:Processor)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN d.urn AS key, d.urn AS source, r, p
  UNION
  MATCH (d:Dataset)
  WHERE d.urn IN $keys
  MATCH (d)-[i:CONTAINS]->(f:Field)
  WHERE i.valid_from <= $as_of AND coalesce(i.valid_to, '9') > $as_of
  MATCH (f)-[r:DISCLOSED_TO]->(p:Processor)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN d.urn AS key, f.urn AS source, r, p
}
RETURN key, source, properties(r) AS edge, properties(p) AS node
ORDER BY key, p.key, source, r.provenance
