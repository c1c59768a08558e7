// What leaves a country: the organisations that receive data and hold it, or may hold it, elsewhere. `leaving` is certain (all of its regions are outside), possible (some are, or its head office is and no region is known) or unknown (nobody has said where it is).
// parameters: country, as_of, after = "", limit = 100
// columns: key, node, leaving, outside, cursor
MATCH (n:Processor)
WHERE n.key > $after AND n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of AND EXISTS {
  MATCH ()-[r:DISCLOSED_TO]->(n)
  WHERE r.valid_from <= $as_of AND coalesce(r.valid_to, '9') > $as_of
}
WITH n, coalesce(n.regions, []) AS regions, coalesce(n.head_office, '') AS office
WITH n, regions, office, [region IN regions WHERE region <> $country AND NOT region STARTS WITH $country + '-'] AS outside
WITH n, outside,
  CASE
    WHEN size(regions) > 0 AND size(outside) = size(regions) THEN 'certain'
    WHEN size(outside) > 0 THEN 'possible'
    WHEN size(regions) > 0 THEN ''
    WHEN office = '' THEN 'unknown'
    WHEN office = $country OR office STARTS WITH $country + '-' THEN ''
    ELSE 'possible'
  END AS leaving
WHERE leaving <> ''
RETURN n.key AS key, properties(n) AS node, leaving, outside, n.key AS cursor
ORDER BY cursor LIMIT $limit
