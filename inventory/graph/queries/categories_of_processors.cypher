// The categories that organisations receive: declared, or observed of fields that hold them, of those fields' datasets or systems. How each is known, and for which declared purposes.
// parameters: keys, as_of
// columns: key, node, provenances, purposes, sources
UNWIND $keys AS key
CALL {
  WITH key
  MATCH (c:Category)-[r:DISCLOSED_TO]->(:Processor {key: key})
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN c, r, c.key AS source
  UNION
  WITH key
  MATCH (:Processor {key: key})<-[r:DISCLOSED_TO]-(f:Field)-[k:CLASSIFIED_AS]->(c:Category)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of AND k.valid_from <= $as_of AND coalesce(k.valid_to, '9') > $as_of AND k.state <> 'rejected'
  RETURN c, r, f.urn AS source
  UNION
  WITH key
  MATCH (:Processor {key: key})<-[r:DISCLOSED_TO]-(:Dataset)-[i:CONTAINS]->(f:Field)-[k:CLASSIFIED_AS]->(c:Category)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of AND k.valid_from <= $as_of AND coalesce(k.valid_to, '9') > $as_of AND k.state <> 'rejected' AND i.valid_from <= $as_of AND coalesce(i.valid_to, '9') > $as_of
  RETURN c, r, f.urn AS source
  UNION
  WITH key
  MATCH (:Processor {key: key})<-[r:DISCLOSED_TO]-(:System)-[j:CONTAINS]->(:Dataset)-[i:CONTAINS]->(f:Field)-[k:CLASSIFIED_AS]->(c:Category)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of AND k.valid_from <= $as_of AND coalesce(k.valid_to, '9') > $as_of AND k.state <> 'rejected' AND i.valid_from <= $as_of AND coalesce(i.valid_to, '9') > $as_of AND j.valid_from <= $as_of AND coalesce(j.valid_to, '9') > $as_of
  RETURN c, r, f.urn AS source
}
WITH key, c, r, source
ORDER BY key, c.key, r.provenance
WITH key, c, collect(DISTINCT r.provenance) AS provenances, count(DISTINCT source) AS sources, collect(r.purposes) AS lists
RETURN key, properties(c) AS node, provenances, reduce(all = [], l IN lists | all + [p IN l WHERE NOT p IN all]) AS purposes, sources
ORDER BY key, c.key
