// Whom systems, datasets and fields are themselves disclosed to.
// parameters: keys, as_of
// columns: key, edge, label, node, processor
CALL {
  MATCH (n:System)-[r:DISCLOSED_TO]->(p:Processor) WHERE n.urn IN $keys RETURN n, r, p
  UNION
  MATCH (n:Dataset)-[r:DISCLOSED_TO]->(p:Processor) WHERE n.urn IN $keys RETURN n, r, p
  UNION
  MATCH (n:Field)-[r:DISCLOSED_TO]->(p:Processor) WHERE n.urn IN $keys RETURN n, r, p
}
WITH n, r, p
WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
RETURN n.urn AS key, properties(r) AS edge, labels(n)[0] AS label, properties(n) AS node, p.key AS processor
ORDER BY key, processor, r.provenance, r.id
