// An organisation, and how much is disclosed to it.
// parameters: key, as_of
// columns: key, node, disclosures
MATCH (n:Processor {key: $key})
WHERE n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
OPTIONAL MATCH (source)-[r:DISCLOSED_TO]->(n)
WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
RETURN n.key AS key, properties(n) AS node, count(r) AS disclosures
