// The clauses of the policy, of one section or all (""), of one kind or all (""), in the policy's order.
// parameters: section = "", kind = "", as_of, after = "", limit = 100
// columns: key, node, cursor
MATCH (n:Clause)
WHERE ($section = '' OR n.key STARTS WITH $section + '.') AND ($kind = '' OR n.kind = $kind) AND n.valid_from <= $as_of AND coalesce(n.valid_to, '9') > $as_of
WITH n, split(n.key, '.') AS parts
WITH n, right('000' + parts[0], 4) + '.' + right('000' + coalesce(parts[1], ''), 4) + ' ' + n.key AS cursor
WHERE cursor > $after
RETURN n.key AS key, properties(n) AS node, cursor
ORDER BY cursor LIMIT $limit
