"""dbt: what a project's models make of what, by the files that dbt has written into its target folder.

`artifacts` reads them, `flows` says what flows, `loading` finds the database that they are about and loads it all.
"""
