"""Run the texts of queries/ on an engine. DuckDB is the default."""
