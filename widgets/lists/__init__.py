"""Lists with a cursor: rows to choose from, findings to tick."""
