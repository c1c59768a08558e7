// Scans, newest first; of one source, or of all ("").
// parameters: source = "", as_of, after = "", limit = 50
// columns: key, node, systems, cursor
MATCH (n:Scan)
WHERE ($source = '' OR n.source = $source) AND n.started_at <= $as_of
  AND ($after = '' OR n.started_at + ' ' + n.urn < $after)
WITH n, n.started_at + ' ' + n.urn AS cursor
ORDER BY cursor DESC LIMIT $limit
OPTIONAL MATCH (n)-[:SCANNED]->(s:System)
WITH n, cursor, collect(s.urn) AS systems
RETURN n.urn AS key, properties(n) AS node, systems, cursor
ORDER BY cursor DESC
