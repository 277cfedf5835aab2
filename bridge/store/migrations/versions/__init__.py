"""The steps from each version of the schema to the next; Alembic reads them by their file names."""
