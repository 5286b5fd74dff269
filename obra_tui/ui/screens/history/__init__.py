"""Every session, and the search."""
