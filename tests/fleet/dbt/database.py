"""Makes the database that the project reads, run in dbt's own environment: a DuckDB file at the given path."""

import sys

import duckdb

with duckdb.connect(sys.argv[1]) as shop:
    shop.execute(
        "CREATE TABLE customers (id INT, email VARCHAR, first_name VARCHAR, last_name VARCHAR, country VARCHAR, "
        "updated_at TIMESTAMP)"
    )
    shop.execute("INSERT INTO customers VALUES (1, 'ada@example.ca', 'Ada', 'Roe', 'CA', TIMESTAMP '2026-01-01')")
    shop.execute("CREATE TABLE orders (id INT, customer_id INT, total DECIMAL(10, 2), ordered_at TIMESTAMP)")
    shop.execute("INSERT INTO orders VALUES (1, 1, 3.50, TIMESTAMP '2026-01-02')")
