"""Steps from each older schema to the next, for Alembic."""
