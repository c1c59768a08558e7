// The categories that a field or a dataset is classified as; rejected classifications do not count.
// parameters: as_of, after = "", limit = 100
// columns: key, node, cursor
MATCH (n:Category)
WHERE n.key > $after AND EXISTS {
  MATCH ()-[r:CLASSIFIED_AS]->(n)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of AND r.state <> 'rejected'
}
RETURN n.key AS key, properties(n) AS node, n.key AS cursor
ORDER BY cursor LIMIT $limit
