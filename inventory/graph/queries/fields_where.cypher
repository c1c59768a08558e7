// Fields of one dataset or all (""), with a classification as a category or one below it (""), in a state ("": not rejected).
// parameters: dataset = "", category = "", state = "", as_of, after = "", limit = 100
// columns: key, node, cursor
MATCH (n:Field)
WHERE n.urn > $after AND ($dataset = '' OR n.dataset = $dataset) AND n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
  AND (($category = '' AND $state = '') OR EXISTS {
    MATCH (n)-[r:CLASSIFIED_AS]->(c:Category)
    WHERE ($category = '' OR c.key = $category OR c.key STARTS WITH $category + '.')
      AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of AND (($state = '' AND r.state <> 'rejected') OR r.state = $state)
  })
RETURN n.urn AS key, properties(n) AS node, n.urn AS cursor
ORDER BY cursor LIMIT $limit
