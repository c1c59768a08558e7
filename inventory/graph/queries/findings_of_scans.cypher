// What scans found amiss; a page of each.
// parameters: keys, after = "", limit = 100
// columns: key, node, cursor
UNWIND $keys AS key
CALL {
  WITH key
  MATCH (:Scan {urn: key})-[:FOUND]->(n:Finding)
  WITH DISTINCT n, n.urn AS cursor
  WHERE cursor > $after
  RETURN n, cursor
  ORDER BY cursor LIMIT $limit
}
RETURN key, properties(n) AS node, cursor
ORDER BY key, cursor
