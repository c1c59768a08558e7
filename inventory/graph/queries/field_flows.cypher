// Every flow between fields, with what happens to the data.
// parameters: as_of, after = "", limit = 100
// columns: source, target, transformation, confidence, cursor
MATCH (s:Field)-[r:FLOWS_TO]->(t:Field)
WHERE r.id > $after AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
RETURN s.urn AS source, t.urn AS target, r.transformation AS transformation, r.confidence AS confidence, r.id AS cursor
ORDER BY cursor LIMIT $limit
