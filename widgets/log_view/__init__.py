"""A pane of lines that may arrive faster than anybody can read."""
