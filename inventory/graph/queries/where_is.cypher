// Where a category, or one below it, lives: fields with their dataset and system. Rejected ones are left out.
// parameters: category, as_of, after = "", limit = 100
// columns: key, category, field, dataset, system, confidence, evidence, state, provenance, edge, cursor
MATCH (c:Category)
WHERE c.key = $category OR c.key STARTS WITH $category + '.'
MATCH (f:Field)-[r:CLASSIFIED_AS]->(c)
WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of AND r.state <> 'rejected'
MATCH (d:Dataset)-[in_dataset:CONTAINS]->(f)
WHERE in_dataset.valid_from <= $as_of AND coalesce(in_dataset.valid_to, '9') > $as_of
MATCH (s:System)-[in_system:CONTAINS]->(d)
WHERE in_system.valid_from <= $as_of AND coalesce(in_system.valid_to, '9') > $as_of
WITH c, f, r, d, s, f.urn + ' ' + c.key AS cursor
WHERE cursor > $after
RETURN f.urn AS key, c.key AS category, properties(f) AS field, properties(d) AS dataset, properties(s) AS system,
  r.confidence AS confidence, r.evidence_json AS evidence_json, r.state AS state, r.provenance AS provenance,
  properties(r) AS edge, cursor
ORDER BY cursor LIMIT $limit
