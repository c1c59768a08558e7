// Every classification of a field that a look at it or a person says, also the rejected; not those that follow from flows.
// parameters: as_of, after = "", limit = 100
// columns: key, category, confidence, state, cursor
MATCH (f:Field)-[r:CLASSIFIED_AS]->(c:Category)
WHERE r.id > $after AND r.provenance <> 'lineage' AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
RETURN f.urn AS key, c.key AS category, r.confidence AS confidence, r.state AS state, r.id AS cursor
ORDER BY cursor LIMIT $limit
