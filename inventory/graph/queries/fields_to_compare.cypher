// What the comparison of sketches needs to know of some fields: where they are, and whose their system is.
// parameters: keys, as_of
// columns: key, name, primary_key, dataset, dataset_kind, rows, system, system_kind
UNWIND $keys AS key
MATCH (f:Field {urn: key}) WHERE f.valid_from <= $as_of AND coalesce(f.valid_to, '9') > $as_of
MATCH (f)<-[r:CONTAINS]-(d:Dataset)<-[q:CONTAINS]-(s:System)
WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  AND q.valid_from <= $as_of AND coalesce(q.valid_to, '9') > $as_of
RETURN key, f.name AS name, coalesce(f.primary_key, false) AS primary_key, d.urn AS dataset,
       d.kind AS dataset_kind, d.row_estimate AS rows, s.urn AS system, s.kind AS system_kind
ORDER BY key
