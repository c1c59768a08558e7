// Where data goes next from fields and datasets: flows and disclosures. A field goes along with its dataset where nothing is known of single fields: to the field of the same name, or else to the dataset (`coarse`). What is disclosed of a dataset or a system is disclosed of its fields.
// parameters: keys, as_of
// columns: key, target, label, name, edge, type, coarse
CALL {
  UNWIND $keys AS key
  MATCH (f:Field {urn: key})-[r:FLOWS_TO|DISCLOSED_TO]->(t)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN key, t, r, false AS coarse
  UNION
  UNWIND $keys AS key
  MATCH (d:Dataset {urn: key})-[r:FLOWS_TO|DISCLOSED_TO]->(t)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN key, t, r, false AS coarse
  UNION
  UNWIND $keys AS key
  MATCH (d:Dataset {urn: key})<-[:CONTAINS]-(:System)-[r:DISCLOSED_TO]->(t)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN key, t, r, false AS coarse
  UNION
  UNWIND $keys AS key
  MATCH (f:Field {urn: key})<-[:CONTAINS]-(:Dataset)-[r:DISCLOSED_TO]->(t)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN key, t, r, false AS coarse
  UNION
  UNWIND $keys AS key
  MATCH (f:Field {urn: key})<-[:CONTAINS]-(:Dataset)<-[:CONTAINS]-(:System)-[r:DISCLOSED_TO]->(t)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN key, t, r, false AS coarse
  UNION
  UNWIND $keys AS key
  MATCH (f:Field {urn: key})<-[:CONTAINS]-(d:Dataset)-[r:FLOWS_TO]->(e:Dataset)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of AND NOT EXISTS {
    MATCH (d)-[:CONTAINS]->(:Field)-[s:FLOWS_TO]->(:Field)<-[:CONTAINS]-(e)
    WHERE s.valid_from <= $as_of AND coalesce(s.valid_to, '9') > $as_of AND coalesce(s.job, '') = coalesce(r.job, '')
  }
  OPTIONAL MATCH (e)-[:CONTAINS]->(g:Field)
  WHERE g.name = f.name AND g.valid_from <= $as_of AND coalesce(g.valid_to, '9') > $as_of
  RETURN key, coalesce(g, e) AS t, r, true AS coarse
}
RETURN key, coalesce(t.urn, t.key) AS target, labels(t)[0] AS label, t.name AS name, r{.id, .provenance, .confidence, .transformation, .job, .evidence} AS edge, type(r) AS type, coarse
ORDER BY key, target, r.id
