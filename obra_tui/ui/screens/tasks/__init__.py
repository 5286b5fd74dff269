"""The plan: its tasks, changed by keys, by a form and from files."""
