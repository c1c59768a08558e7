// What fields are classified as, surest first; rejected ones too.
// parameters: keys, as_of
// columns: key, category, edge, node
MATCH (f:Field)
WHERE f.urn IN $keys
MATCH (f)-[r:CLASSIFIED_AS]->(c:Category)
WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
RETURN f.urn AS key, c.key AS category, r{.*, category: c.key} AS edge, properties(c) AS node
ORDER BY key, r.confidence DESC, category
