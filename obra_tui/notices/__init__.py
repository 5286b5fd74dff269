"""Notices to a person who is somewhere else: what is worth one, and how it gets there.

Knows events and nothing of screens, settings files or the engine; a failing channel never stops a run.
"""
