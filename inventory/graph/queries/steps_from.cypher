// Where data goes next from fields and datasets: flows and disclosures. A field goes along with its dataset where nothing is known of single fields: to the field of the same name, or else to the dataset (`coarse`). What is disclosed of a dataset or a system is disclosed of its fields.
// parameters: keys, as_of
// columns: key, target, label, name, edge, type, coarse
CALL {
  MATCH (f:Field)-[r:FLOWS_TO|DISCLOSED_TO]->(t)
  WHERE f.urn IN $keys AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN f.urn AS key, t, r, false AS coarse
  UNION
  MATCH (d:Dataset)-[r:FLOWS_TO|DISCLOSED_TO]->(t)
  WHERE d.urn IN $keys AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN d.urn AS key, t, r, false AS coarse
  UNION
  MATCH (d:Dataset)<-[:CONTAINS]-(:System)-[r:DISCLOSED_TO]->(t)
  WHERE d.urn IN $keys AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN d.urn AS key, t, r, false AS coarse
  UNION
  MATCH (f:Field)<-[:CONTAINS]-(:Dataset)-[r:DISCLOSED_TO]->(t)
  WHERE f.urn IN $keys AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN f.urn AS key, t, r, false AS coarse
  UNION
  MATCH (f:Field)<-[:CONTAINS]-(:Dataset)<-[:CONTAINS]-(:System)-[r:DISCLOSED_TO]->(t)
  WHERE f.urn IN $keys AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN f.urn AS key, t, r, false AS coarse
  UNION
  MATCH (f:Field)<-[:CONTAINS]-(d:Dataset)-[r:FLOWS_TO]->(e:Dataset)
  WHERE f.urn IN $keys AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of AND NOT EXISTS {
    MATCH (d)-[:CONTAINS]->(:Field)-[s:FLOWS_TO]->(:Field)<-[:CONTAINS]-(e)
    WHERE s.valid_from <= $as_of AND coalesce(s.valid_to, '9') > $as_of AND coalesce(s.job, '') = coalesce(r.job, '')
  }
  OPTIONAL MATCH (e)-[:CONTAINS]->(g:Field)
  WHERE g.name = f.name AND g.valid_from <= $as_of AND coalesce(g.valid_to, '9') > $as_of
  RETURN f.urn AS key, coalesce(g, e) AS t, r, true AS coarse
}
RETURN key, coalesce(t.urn, t.key) AS target, labels(t)[0] AS label, t.name AS name, properties(r) AS edge, type(r) AS type, coarse
ORDER BY key, target, r.id
