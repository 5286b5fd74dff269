"""Records to the lines of a pane: what Claude does, and what is found out about its work."""
