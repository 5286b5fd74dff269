"""Reads what test runners and linters say of single tests, by name.

Everything here was written by others: it is bounded, its shape is not trusted, and a report without a test proves
nothing.
"""
