// Nodes of one label by their keys, as they were then.
// parameters: label, keys, as_of
// columns: key, label, node
CALL {
  MATCH (n:System) WHERE n.urn IN $keys AND $label = 'System' RETURN n, n.urn AS key, 'System' AS label
  UNION
  MATCH (n:Dataset) WHERE n.urn IN $keys AND $label = 'Dataset' RETURN n, n.urn AS key, 'Dataset' AS label
  UNION
  MATCH (n:Field) WHERE n.urn IN $keys AND $label = 'Field' RETURN n, n.urn AS key, 'Field' AS label
  UNION
  MATCH (n:Job) WHERE n.urn IN $keys AND $label = 'Job' RETURN n, n.urn AS key, 'Job' AS label
  UNION
  MATCH (n:Scan) WHERE n.urn IN $keys AND $label = 'Scan' RETURN n, n.urn AS key, 'Scan' AS label
  UNION
  MATCH (n:Finding) WHERE n.urn IN $keys AND $label = 'Finding' RETURN n, n.urn AS key, 'Finding' AS label
  UNION
  MATCH (n:Category) WHERE n.key IN $keys AND $label = 'Category' RETURN n, n.key AS key, 'Category' AS label
  UNION
  MATCH (n:Subject) WHERE n.key IN $keys AND $label = 'Subject' RETURN n, n.key AS key, 'Subject' AS label
  UNION
  MATCH (n:Purpose) WHERE n.key IN $keys AND $label = 'Purpose' RETURN n, n.key AS key, 'Purpose' AS label
  UNION
  MATCH (n:Right) WHERE n.key IN $keys AND $label = 'Right' RETURN n, n.key AS key, 'Right' AS label
  UNION
  MATCH (n:Safeguard) WHERE n.key IN $keys AND $label = 'Safeguard' RETURN n, n.key AS key, 'Safeguard' AS label
  UNION
  MATCH (n:RetentionRule) WHERE n.key IN $keys AND $label = 'RetentionRule' RETURN n, n.key AS key, 'RetentionRule' AS label
  UNION
  MATCH (n:Clause) WHERE n.key IN $keys AND $label = 'Clause' RETURN n, n.key AS key, 'Clause' AS label
  UNION
  MATCH (n:Processor) WHERE n.key IN $keys AND $label = 'Processor' RETURN n, n.key AS key, 'Processor' AS label
  UNION
  MATCH (n:Region) WHERE n.key IN $keys AND $label = 'Region' RETURN n, n.key AS key, 'Region' AS label
}
OPTIONAL MATCH (was:Version)-[:VERSION_OF]->(n)
WHERE was.valid_from <= $as_of AND was.valid_to > $as_of
WITH n, key, label, was AS version
WHERE version IS NOT NULL OR (n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of)
RETURN key, label, coalesce(properties(version), properties(n)) AS node
ORDER BY key
