// Who receives a category, or one below it: declared for it (or for one above it), or observed of a field that holds it, of that field's dataset or its system.
// parameters: category, as_of, after = "", limit = 100
// columns: key, processor, source, source_label, provenance, evidence, confidence, fields, edge, cursor
CALL {
  MATCH (c:Category)-[r:DISCLOSED_TO]->(p:Processor)
  WHERE (c.key = $category OR c.key STARTS WITH $category + '.' OR $category STARTS WITH c.key + '.') AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN p, r, c.key AS source, 'Category' AS source_label, 0 AS fields
  UNION
  MATCH (c:Category)
  WHERE c.key = $category OR c.key STARTS WITH $category + '.'
  MATCH (f:Field)-[k:CLASSIFIED_AS]->(c)
  WHERE k.valid_from <= $as_of AND coalesce(k.valid_to, '9') > $as_of AND k.state <> 'rejected' AND f.valid_from <= $as_of AND coalesce(f.valid_to, '9') > $as_of
  MATCH (f)-[r:DISCLOSED_TO]->(p:Processor)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN p, r, f.urn AS source, 'Field' AS source_label, count(DISTINCT f.urn) AS fields
  UNION
  MATCH (c:Category)
  WHERE c.key = $category OR c.key STARTS WITH $category + '.'
  MATCH (f:Field)-[k:CLASSIFIED_AS]->(c)
  WHERE k.valid_from <= $as_of AND coalesce(k.valid_to, '9') > $as_of AND k.state <> 'rejected'
  MATCH (d:Dataset)-[i:CONTAINS]->(f)
  WHERE i.valid_from <= $as_of AND coalesce(i.valid_to, '9') > $as_of
  MATCH (d)-[r:DISCLOSED_TO]->(p:Processor)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN p, r, d.urn AS source, 'Dataset' AS source_label, count(DISTINCT f.urn) AS fields
  UNION
  MATCH (c:Category)
  WHERE c.key = $category OR c.key STARTS WITH $category + '.'
  MATCH (f:Field)-[k:CLASSIFIED_AS]->(c)
  WHERE k.valid_from <= $as_of AND coalesce(k.valid_to, '9') > $as_of AND k.state <> 'rejected'
  MATCH (s:System)-[j:CONTAINS]->(d:Dataset)-[i:CONTAINS]->(f)
  WHERE i.valid_from <= $as_of AND coalesce(i.valid_to, '9') > $as_of AND j.valid_from <= $as_of AND coalesce(j.valid_to, '9') > $as_of
  MATCH (s)-[r:DISCLOSED_TO]->(p:Processor)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN p, r, s.urn AS source, 'System' AS source_label, count(DISTINCT f.urn) AS fields
}
WITH p, r, source, source_label, fields, p.key + ' ' + source + ' ' + r.id AS cursor
WHERE cursor > $after
RETURN p.key AS key, properties(p) AS processor, source, source_label, r.provenance AS provenance,
  r.evidence AS evidence, r.confidence AS confidence, fields, properties(r) AS edge, cursor
ORDER BY cursor LIMIT $limit
