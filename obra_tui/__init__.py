"""Obra: supervise Claude Code in the terminal."""

__version__ = "0.1.0"
