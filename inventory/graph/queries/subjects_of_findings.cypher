// The systems and datasets that findings are about.
// parameters: keys
// columns: key, label, node
MATCH (f:Finding)-[:ABOUT]->(n)
WHERE f.urn IN $keys
RETURN f.urn AS key, labels(n)[0] AS label, properties(n) AS node
ORDER BY key, label
