// A category, how many there are below it, and how many fields hold it or one below it.
// parameters: key, as_of
// columns: key, node, parent, children, descendants, fields
MATCH (n:Category {key: $key})
WHERE n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
OPTIONAL MATCH (below:Category)
WHERE below.key STARTS WITH $key + '.' AND below.valid_from <= $as_of AND coalesce(below.valid_to, '9') > $as_of
WITH n, collect(below.key) AS descendants
OPTIONAL MATCH (field:Field)-[r:CLASSIFIED_AS]->(category:Category)
WHERE (category.key = $key OR category.key STARTS WITH $key + '.')
  AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of AND r.state <> 'rejected' AND field.valid_from <= $as_of AND coalesce(field.valid_to, '9') > $as_of
WITH n, descendants, count(DISTINCT field.urn) AS fields
OPTIONAL MATCH (n)-[b:BROADER]->(parent:Category)
WHERE b.valid_from <= $as_of AND coalesce(b.valid_to, '9') > $as_of
RETURN n.key AS key, properties(n) AS node, parent.key AS parent,
  [below IN descendants WHERE size(split(below, '.')) = size(split($key, '.')) + 1] AS children,
  size(descendants) AS descendants, fields
