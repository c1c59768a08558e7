// The organisations that receive data, and how the declared map and what was observed agree on each: confirmed, unseen (declared alone), implied (observed, and only its class is declared), undeclared (observed alone). Of a class, what was observed of its members counts. `covered_by`: the declared classes of what an undeclared one does.
// parameters: as_of, standing = [], after = "", limit = 100
// columns: key, node, standing, covered_by, cursor
MATCH (n:Processor)
WHERE n.key > $after AND n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of AND coalesce(n.role, '') <> 'controller'
WITH n, coalesce(n.declared_as, '') <> '' AS declared
CALL {
  WITH n
  OPTIONAL MATCH (n)<-[r:DISCLOSED_TO]-()
  WHERE r.provenance <> 'declared' AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN count(r) AS own
}
CALL {
  WITH n
  OPTIONAL MATCH (n)<-[:BROADER*1..3]-(:Processor)<-[r:DISCLOSED_TO]-()
  WHERE r.provenance <> 'declared' AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
  RETURN count(r) AS of_members
}
CALL {
  WITH n
  OPTIONAL MATCH (c:Processor)
  WHERE coalesce(n.declared_as, '') = '' AND c.declared_as = 'class' AND c.valid_from <= $as_of AND coalesce(c.valid_to, '9') > $as_of
    AND ANY(s IN coalesce(n.service_classes, []) WHERE ANY(t IN coalesce(c.service_classes, []) WHERE s = t OR s STARTS WITH t + '.'))
  WITH c ORDER BY c.key
  RETURN collect(c.key) AS covered_by
}
CALL {
  WITH n
  OPTIONAL MATCH (o:Processor)<-[r:DISCLOSED_TO]-()
  WHERE n.declared_as = 'class' AND coalesce(o.declared_as, '') = '' AND r.provenance <> 'declared' AND r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
    AND ANY(s IN coalesce(o.service_classes, []) WHERE ANY(t IN coalesce(n.service_classes, []) WHERE s = t OR s STARTS WITH t + '.'))
  RETURN count(r) AS of_others
}
WITH n, covered_by,
  CASE
    WHEN declared AND own + of_members + of_others > 0 THEN 'confirmed'
    WHEN declared THEN 'unseen'
    WHEN size(covered_by) > 0 THEN 'implied'
    ELSE 'undeclared'
  END AS standing
WHERE size($standing) = 0 OR standing IN $standing
RETURN n.key AS key, properties(n) AS node, standing, covered_by, n.key AS cursor
ORDER BY cursor LIMIT $limit
