"""Forges: what is sent to them, what their errors mean, and what strangers wrote there."""
