// How many nodes of each label and edges of each type are valid.
// parameters: as_of
// columns: kind, name, count
CALL {
  MATCH (n:System|Dataset|Field|Principal|Job|Scan|Finding|Category|Subject|Purpose|Right|Safeguard|RetentionRule|Clause|Processor|Region)
  WHERE n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
  RETURN 'node' AS kind, labels(n)[0] AS name, count(*) AS count
  UNION
  MATCH ()-[r]->()
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN 'edge' AS kind, type(r) AS name, count(*) AS count
}
RETURN kind, name, count
ORDER BY kind, name
