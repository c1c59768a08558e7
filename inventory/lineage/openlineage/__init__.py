"""OpenLineage: events in, and the graph's flows out as events (`exporting`).

An event is a piece of what a job says of itself: a run starts with its inputs and completes with its outputs, and both
come in any order, or twice. `events` reads one, `pieces` says what it adds, `history` puts a job's pieces together and
says which flows hold, `loading` keeps that in the graph. `gathering` and `files` are the two ways in.
"""
