"""Reads records of other programs into the history."""
