// The scans that run now, of one source or of all (""), and these others, which may have ended since.
// parameters: source = "", keys = []
// columns: key, node
MATCH (n:Scan)
WHERE ($source = '' OR n.source = $source) AND (n.state = 'running' OR n.urn IN $keys)
RETURN n.urn AS key, properties(n) AS node
ORDER BY key
