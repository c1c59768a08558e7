// The clauses that nodes of one label are declared in.
// parameters: label, keys, as_of
// columns: key, edge, node
CALL {
  MATCH (n:System) WHERE n.urn IN $keys AND $label = 'System' RETURN n, n.urn AS key
  UNION
  MATCH (n:Dataset) WHERE n.urn IN $keys AND $label = 'Dataset' RETURN n, n.urn AS key
  UNION
  MATCH (n:Field) WHERE n.urn IN $keys AND $label = 'Field' RETURN n, n.urn AS key
  UNION
  MATCH (n:Job) WHERE n.urn IN $keys AND $label = 'Job' RETURN n, n.urn AS key
  UNION
  MATCH (n:Category) WHERE n.key IN $keys AND $label = 'Category' RETURN n, n.key AS key
  UNION
  MATCH (n:Subject) WHERE n.key IN $keys AND $label = 'Subject' RETURN n, n.key AS key
  UNION
  MATCH (n:Purpose) WHERE n.key IN $keys AND $label = 'Purpose' RETURN n, n.key AS key
  UNION
  MATCH (n:Right) WHERE n.key IN $keys AND $label = 'Right' RETURN n, n.key AS key
  UNION
  MATCH (n:Safeguard) WHERE n.key IN $keys AND $label = 'Safeguard' RETURN n, n.key AS key
  UNION
  MATCH (n:RetentionRule) WHERE n.key IN $keys AND $label = 'RetentionRule' RETURN n, n.key AS key
  UNION
  MATCH (n:Processor) WHERE n.key IN $keys AND $label = 'Processor' RETURN n, n.key AS key
  UNION
  MATCH (n:Region) WHERE n.key IN $keys AND $label = 'Region' RETURN n, n.key AS key
}
MATCH (n)-[r:DECLARED_IN]->(c:Clause)
WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
RETURN key, properties(r) AS edge, properties(c) AS node
ORDER BY key, c.key
