// What the records of datasets are classified as (an access log, an audit trail), surest first; rejected ones too.
// parameters: keys, as_of
// columns: key, category, edge, node
MATCH (d:Dataset)
WHERE d.urn IN $keys
MATCH (d)-[r:CLASSIFIED_AS]->(c:Category)
WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
RETURN d.urn AS key, c.key AS category, r{.*, category: c.key} AS edge, properties(c) AS node
ORDER BY key, r.confidence DESC, category
