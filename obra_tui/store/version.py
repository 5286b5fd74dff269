"""Which shape of the database this version of Obra has and knows."""

SCHEMA = "0001"
"""Newest migration: what the tables are."""

KNOWN_SCHEMAS = ("0001",)
"""Every migration of this version, oldest first."""

VERSION_TABLE = "alembic_version"
"""Where a database says which shape it has."""
