"""Which shape of the database this version of Obra has and knows."""

SCHEMA = "0009"
"""Newest migration: what the tables are."""

KNOWN_SCHEMAS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
"""Every migration of this version, oldest first."""

VERSION_TABLE = "alembic_version"
"""Where a database says which shape it has."""
