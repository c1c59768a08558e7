// Who receives categories, or ones below them, and by which disclosures: declared for the category, one below or one above it; observed of a field that holds it, of that field's dataset or its system. A page of each, at most 100 disclosures an organisation.
// parameters: keys, as_of, after = "", limit = 100
// columns: key, node, disclosures, cursor
UNWIND $keys AS key
CALL {
  WITH key
  MATCH (n:Category)-[r:DISCLOSED_TO]->(p:Processor)
  WHERE (n.key = key OR n.key STARTS WITH key + '.' OR key STARTS WITH n.key + '.') AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN p, r, n
  UNION
  WITH key
  MATCH (c:Category)
  WHERE c.key = key OR c.key STARTS WITH key + '.'
  MATCH (n:Field)-[k:CLASSIFIED_AS]->(c)
  WHERE k.valid_from <= $as_of AND coalesce(k.valid_to, '9') > $as_of AND k.state <> 'rejected'
  MATCH (n)-[r:DISCLOSED_TO]->(p:Processor)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN p, r, n
  UNION
  WITH key
  MATCH (c:Category)
  WHERE c.key = key OR c.key STARTS WITH key + '.'
  MATCH (n:Dataset)-[i:CONTAINS]->(f:Field)-[k:CLASSIFIED_AS]->(c)
  WHERE k.valid_from <= $as_of AND coalesce(k.valid_to, '9') > $as_of AND k.state <> 'rejected' AND i.valid_from <= $as_of AND coalesce(i.valid_to, '9') > $as_of
  MATCH (n)-[r:DISCLOSED_TO]->(p:Processor)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN p, r, n
  UNION
  WITH key
  MATCH (c:Category)
  WHERE c.key = key OR c.key STARTS WITH key + '.'
  MATCH (n:System)-[j:CONTAINS]->(:Dataset)-[i:CONTAINS]->(f:Field)-[k:CLASSIFIED_AS]->(c)
  WHERE k.valid_from <= $as_of AND coalesce(k.valid_to, '9') > $as_of AND k.state <> 'rejected' AND i.valid_from <= $as_of AND coalesce(i.valid_to, '9') > $as_of AND j.valid_from <= $as_of AND coalesce(j.valid_to, '9') > $as_of
  MATCH (n)-[r:DISCLOSED_TO]->(p:Processor)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN p, r, n
}
WITH DISTINCT key, p, r, n
WHERE p.key > $after
WITH key, p, r, n, coalesce(n.urn, n.key) AS source
ORDER BY key, p.key, source, r.id
WITH key, p, collect({edge: properties(r), label: labels(n)[0], node: properties(n)})[..100] AS disclosures
ORDER BY key, p.key
WITH key, collect({node: properties(p), disclosures: disclosures, cursor: p.key})[..$limit] AS found
UNWIND found AS one
RETURN key, one.node AS node, one.disclosures AS disclosures, one.cursor AS cursor
ORDER BY key, cursor
