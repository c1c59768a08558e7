// How data gets from a field, dataset, system or category to a field, dataset, system, category or processor ("" is anywhere): paths of at most 6 steps, shortest first. No rows: no such flow is known.
// parameters: source, target = "", as_of, limit = 50
// columns: nodes, edges, length
CALL {
  MATCH (a:Field {urn: $source}) RETURN a
  UNION
  MATCH (:Field {urn: $source})<-[:CONTAINS]-(a:Dataset) RETURN a
  UNION
  MATCH (a:Dataset {urn: $source}) RETURN a
  UNION
  MATCH (:Dataset {urn: $source})-[:CONTAINS]->(a:Field) RETURN a
  UNION
  MATCH (:System {urn: $source})-[:CONTAINS]->(a:Dataset) RETURN a
  UNION
  MATCH (:System {urn: $source})-[:CONTAINS]->(:Dataset)-[:CONTAINS]->(a:Field) RETURN a
  UNION
  MATCH (c:Category)
  WHERE c.key = $source OR c.key STARTS WITH $source + '.'
  MATCH (a:Field)-[k:CLASSIFIED_AS]->(c)
  WHERE k.valid_from <= $as_of AND coalesce(k.valid_to, '9') > $as_of AND k.state <> 'rejected'
  RETURN a
  UNION
  MATCH (c:Category)
  WHERE c.key = $source OR c.key STARTS WITH $source + '.'
  MATCH (a:Dataset)-[i:CONTAINS]->(:Field)-[k:CLASSIFIED_AS]->(c)
  WHERE k.valid_from <= $as_of AND coalesce(k.valid_to, '9') > $as_of AND k.state <> 'rejected' AND i.valid_from <= $as_of AND coalesce(i.valid_to, '9') > $as_of
  RETURN a
}
MATCH path = (a)-[:FLOWS_TO|DISCLOSED_TO*1..6]->(b)
WHERE ($target = '' OR b.urn = $target OR b.key = $target OR b.dataset = $target OR b.system = $target OR EXISTS {
    MATCH (b)-[t:CLASSIFIED_AS]->(held:Category)
    WHERE (held.key = $target OR held.key STARTS WITH $target + '.')
      AND t.valid_from <= $as_of AND coalesce(t.valid_to, '9') > $as_of AND t.state <> 'rejected'
  })
  AND all(r IN relationships(path) WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of)
WITH nodes(path) AS stops, relationships(path) AS steps, length(path) AS length
RETURN [n IN stops | {label: labels(n)[0], key: coalesce(n.urn, n.key), name: n.name}] AS nodes,
  [r IN steps | {type: type(r), provenance: r.provenance, transformation: r.transformation, job: r.job,
    confidence: r.confidence, evidence: r.evidence}] AS edges,
  length
ORDER BY length, [n IN stops | coalesce(n.urn, n.key)] LIMIT $limit
