"""Which columns a SQL statement copies, changes, hashes or counts into which columns of its target.

Pure: a statement, the tables it may name, and its target go in; flows come out. `tables` are the datasets that may be
named, `writes` turns a statement into targets and queries, `columns` follows a query's columns, `effects` knows what
expressions do to data, `statements` puts them together, `bounds` says what is too large to follow.
"""

from inventory.lineage.sql.statements import Flow, Lineage, Written, flows_of_script, flows_of_statement
from inventory.lineage.sql.tables import Place, Table, Tables

__all__ = ["Flow", "Lineage", "Place", "Table", "Tables", "Written", "flows_of_script", "flows_of_statement"]
