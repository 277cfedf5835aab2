"""Every version of the schema; `versions/` holds the steps between them, `env.py` is where Alembic enters."""
