"""One client's DuckDB file: its SQL models, building and checking them, posting, rebuilding."""
