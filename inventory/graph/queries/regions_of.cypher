// Where fields, datasets and organisations are: the regions of their system, or those where the organisation holds data (its head office when nobody has said).
// parameters: keys, as_of
// columns: key, regions
CALL {
  MATCH (n:Dataset)<-[:CONTAINS]-(s:System) WHERE n.urn IN $keys AND n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
  RETURN n.urn AS key, CASE WHEN coalesce(s.region, '') = '' THEN [] ELSE [s.region] END AS regions
  UNION
  MATCH (n:Field)<-[:CONTAINS]-(:Dataset)<-[:CONTAINS]-(s:System) WHERE n.urn IN $keys AND n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
  RETURN n.urn AS key, CASE WHEN coalesce(s.region, '') = '' THEN [] ELSE [s.region] END AS regions
  UNION
  MATCH (p:Processor) WHERE p.key IN $keys AND p.valid_from <= $as_of AND coalesce(p.valid_to, '9') > $as_of
  RETURN p.key AS key, CASE WHEN size(coalesce(p.regions, [])) > 0 THEN p.regions WHEN coalesce(p.head_office, '') <> '' THEN [p.head_office] ELSE [] END AS regions
}
RETURN key, regions
ORDER BY key
