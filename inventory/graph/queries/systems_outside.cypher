// Systems that are in another country, or of which nobody has said where they are (`region` is then empty).
// parameters: country, as_of, after = "", limit = 100
// columns: key, node, cursor
MATCH (n:System)
WHERE n.urn > $after AND n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
  AND coalesce(n.region, '') <> $country AND NOT coalesce(n.region, '') STARTS WITH $country + '-'
RETURN n.urn AS key, properties(n) AS node, n.urn AS cursor
ORDER BY cursor LIMIT $limit
