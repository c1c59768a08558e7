// Where the data of fields, datasets and organisations comes from, one step back: the reverse of `steps_from`. Of an organisation: the fields, datasets (with their classified fields) and whole systems that are disclosed to it.
// parameters: keys, as_of
// columns: key, source, label, name, edge, type, coarse
CALL {
  UNWIND $keys AS key
  MATCH (s)-[r:FLOWS_TO]->(f:Field {urn: key})
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN key, s, r, false AS coarse
  UNION
  UNWIND $keys AS key
  MATCH (s)-[r:FLOWS_TO]->(d:Dataset {urn: key})
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN key, s, r, false AS coarse
  UNION
  UNWIND $keys AS key
  MATCH (s)-[r:DISCLOSED_TO]->(p:Processor {key: key})
  WHERE r.provenance <> 'declared' AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN key, s, r, false AS coarse
  UNION
  UNWIND $keys AS key
  MATCH (s:Field)<-[:CONTAINS]-(:Dataset)-[r:DISCLOSED_TO]->(p:Processor {key: key})
  WHERE r.provenance <> 'declared' AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of AND EXISTS {
    MATCH (s)-[k:CLASSIFIED_AS]->(:Category)
    WHERE k.valid_from <= $as_of AND coalesce(k.valid_to, '9') > $as_of AND k.state <> 'rejected'
  }
  RETURN key, s, r, false AS coarse
  UNION
  UNWIND $keys AS key
  MATCH (f:Field {urn: key})<-[:CONTAINS]-(e:Dataset)<-[r:FLOWS_TO]-(d:Dataset)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of AND NOT EXISTS {
    MATCH (d)-[:CONTAINS]->(:Field)-[s:FLOWS_TO]->(:Field)<-[:CONTAINS]-(e)
    WHERE s.valid_from <= $as_of AND coalesce(s.valid_to, '9') > $as_of AND coalesce(s.job, '') = coalesce(r.job, '')
  }
  OPTIONAL MATCH (d)-[:CONTAINS]->(g:Field)
  WHERE g.name = f.name AND g.valid_from <= $as_of AND coalesce(g.valid_to, '9') > $as_of
  RETURN key, coalesce(g, d) AS s, r, true AS coarse
}
RETURN key, coalesce(s.urn, s.key) AS source, labels(s)[0] AS label, s.name AS name, r{.id, .provenance, .confidence, .transformation, .job, .evidence} AS edge, type(r) AS type, coarse
ORDER BY key, source, r.id
