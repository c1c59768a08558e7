// Datasets with personal fields that nothing is known to write or read: no flow in or out of them or their fields, and no other dataset's keys lead to them.
// parameters: as_of, after = "", limit = 100
// columns: key, node, categories, cursor
MATCH (n:Dataset)
WHERE n.urn > $after AND n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
  AND NOT EXISTS { MATCH (n)-[r:FLOWS_TO]-() WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of }
  AND NOT EXISTS { MATCH (n)-[:CONTAINS]->(:Field)-[r:FLOWS_TO]-() WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of }
  AND NOT EXISTS { MATCH (n)-[:CONTAINS]->(:Field)-[r:REFERENCES]-() WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of }
MATCH (n)-[i:CONTAINS]->(f:Field)-[k:CLASSIFIED_AS]->(c:Category)
WHERE i.valid_from <= $as_of AND coalesce(i.valid_to, '9') > $as_of AND k.valid_from <= $as_of AND coalesce(k.valid_to, '9') > $as_of AND k.state <> 'rejected'
WITH n, c.key AS category ORDER BY n.urn, category
WITH n, collect(DISTINCT category) AS categories
RETURN n.urn AS key, properties(n) AS node, categories, n.urn AS cursor
ORDER BY cursor LIMIT $limit
