// Every flow, without its evidence: what the whole map's shape is made of.
// parameters: as_of, after = "", limit = 100
// columns: source, target, id, job, provenance, transformation, cursor
MATCH (s)-[r:FLOWS_TO]->(t)
WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of AND r.id > $after
RETURN s.urn AS source, t.urn AS target, r.id AS id, r.job AS job, r.provenance AS provenance,
  r.transformation AS transformation, r.id AS cursor
ORDER BY cursor LIMIT $limit
