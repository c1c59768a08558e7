// What scans could not do or saw amiss; about one system or dataset, or all ("").
// parameters: about = "", as_of, after = "", limit = 100
// columns: key, node, scan, cursor
MATCH (n:Finding)
WHERE ($about = '' OR n.about = $about) AND n.urn > $after AND n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
RETURN n.urn AS key, properties(n) AS node, n.scan AS scan, n.urn AS cursor
ORDER BY cursor LIMIT $limit
