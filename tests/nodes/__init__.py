"""Several bridges on one PostgreSQL."""
