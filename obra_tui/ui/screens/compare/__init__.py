"""Two attempts or two sessions, side by side."""
