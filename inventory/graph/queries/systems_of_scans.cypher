// The systems that scans looked at.
// parameters: keys
// columns: key, node
MATCH (s:Scan)-[:SCANNED]->(n:System)
WHERE s.urn IN $keys
RETURN s.urn AS key, properties(n) AS node
ORDER BY key, n.urn
