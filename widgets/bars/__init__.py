"""Bars of facts: status, steps, scores, decisions."""
