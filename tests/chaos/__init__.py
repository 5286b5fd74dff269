"""Kills Obra again and again, and looks afterwards, from outside, whether anything was lost or doubled."""
