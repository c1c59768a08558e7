// Where fields, datasets and organisations are: the regions of their system, or those where the organisation holds data (its head office when nobody has said).
// parameters: keys, as_of
// columns: key, regions
CALL {
  UNWIND $keys AS key
  MATCH (n:Dataset {urn: key})<-[:CONTAINS]-(s:System) WHERE n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
  RETURN key, CASE WHEN coalesce(s.region, '') = '' THEN [] ELSE [s.region] END AS regions
  UNION
  UNWIND $keys AS key
  MATCH (n:Field {urn: key})<-[:CONTAINS]-(:Dataset)<-[:CONTAINS]-(s:System) WHERE n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
  RETURN key, CASE WHEN coalesce(s.region, '') = '' THEN [] ELSE [s.region] END AS regions
  UNION
  UNWIND $keys AS key
  MATCH (p:Processor {key: key}) WHERE p.valid_from <= $as_of AND coalesce(p.valid_to, '9') > $as_of
  RETURN key, CASE WHEN size(coalesce(p.regions, [])) > 0 THEN p.regions WHEN coalesce(p.head_office, '') <> '' THEN [p.head_office] ELSE [] END AS regions
}
RETURN key, regions
ORDER BY key
