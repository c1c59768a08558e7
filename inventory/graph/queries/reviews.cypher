// What people have decided of classifications: the field, and whether it holds the category.
// parameters: as_of, after = "", limit = 100
// columns: key, category, node, edge, cursor
MATCH (f:Field)-[r:CLASSIFIED_AS]->(c:Category)
WHERE r.state IN ['confirmed', 'rejected'] AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
WITH f, r, c, f.urn + ' ' + c.key AS cursor
WHERE cursor > $after
RETURN f.urn AS key, c.key AS category, properties(f) AS node, properties(r) AS edge, cursor
ORDER BY cursor LIMIT $limit
