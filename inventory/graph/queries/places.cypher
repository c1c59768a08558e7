// The fields and datasets that an end of a question means: a field; a dataset or system with what is in it; the fields that hold a category, or one below it.
// parameters: urn = "", category = "", as_of, limit = 5000
// columns: key, label, name
CALL {
  MATCH (n:Field {urn: $urn}) WHERE $urn <> '' RETURN n
  UNION
  MATCH (n:Dataset {urn: $urn}) WHERE $urn <> '' RETURN n
  UNION
  MATCH (:Dataset {urn: $urn})-[:CONTAINS]->(n:Field) WHERE $urn <> '' RETURN n
  UNION
  MATCH (:System {urn: $urn})-[:CONTAINS]->(n:Dataset) WHERE $urn <> '' RETURN n
  UNION
  MATCH (:System {urn: $urn})-[:CONTAINS]->(:Dataset)-[:CONTAINS]->(n:Field) WHERE $urn <> '' RETURN n
  UNION
  MATCH (c:Category)
  WHERE $category <> '' AND (c.key = $category OR c.key STARTS WITH $category + '.')
  MATCH (n:Field)-[k:CLASSIFIED_AS]->(c)
  WHERE k.valid_from <= $as_of AND coalesce(k.valid_to, '9') > $as_of AND k.state <> 'rejected'
  RETURN n
}
WITH DISTINCT n
WHERE n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
RETURN n.urn AS key, labels(n)[0] AS label, n.name AS name
ORDER BY key LIMIT $limit
