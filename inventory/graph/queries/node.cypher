// A node by its label and key as it was then, if it was there; `history` is how many earlier versions are kept.
// parameters: label, key, as_of
// columns: key, label, node, history
CALL {
  MATCH (n:System {urn: $key}) WHERE $label = 'System' RETURN n, 'System' AS label
  UNION
  MATCH (n:Dataset {urn: $key}) WHERE $label = 'Dataset' RETURN n, 'Dataset' AS label
  UNION
  MATCH (n:Field {urn: $key}) WHERE $label = 'Field' RETURN n, 'Field' AS label
  UNION
  MATCH (n:Principal {urn: $key}) WHERE $label = 'Principal' RETURN n, 'Principal' AS label
  UNION
  MATCH (n:Job {urn: $key}) WHERE $label = 'Job' RETURN n, 'Job' AS label
  UNION
  MATCH (n:Scan {urn: $key}) WHERE $label = 'Scan' RETURN n, 'Scan' AS label
  UNION
  MATCH (n:Finding {urn: $key}) WHERE $label = 'Finding' RETURN n, 'Finding' AS label
  UNION
  MATCH (n:Category {key: $key}) WHERE $label = 'Category' RETURN n, 'Category' AS label
  UNION
  MATCH (n:Subject {key: $key}) WHERE $label = 'Subject' RETURN n, 'Subject' AS label
  UNION
  MATCH (n:Purpose {key: $key}) WHERE $label = 'Purpose' RETURN n, 'Purpose' AS label
  UNION
  MATCH (n:Right {key: $key}) WHERE $label = 'Right' RETURN n, 'Right' AS label
  UNION
  MATCH (n:Safeguard {key: $key}) WHERE $label = 'Safeguard' RETURN n, 'Safeguard' AS label
  UNION
  MATCH (n:RetentionRule {key: $key}) WHERE $label = 'RetentionRule' RETURN n, 'RetentionRule' AS label
  UNION
  MATCH (n:Clause {key: $key}) WHERE $label = 'Clause' RETURN n, 'Clause' AS label
  UNION
  MATCH (n:Processor {key: $key}) WHERE $label = 'Processor' RETURN n, 'Processor' AS label
  UNION
  MATCH (n:Region {key: $key}) WHERE $label = 'Region' RETURN n, 'Region' AS label
}
OPTIONAL MATCH (was:Version)-[:VERSION_OF]->(n)
WITH n, label, collect(was) AS versions
WITH n, label, size(versions) AS history,
  [v IN versions WHERE v.valid_from <= $as_of AND v.valid_to > $as_of][0] AS version
WHERE version IS NOT NULL OR (n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of)
RETURN $key AS key, label, coalesce(properties(version), properties(n)) AS node, history
