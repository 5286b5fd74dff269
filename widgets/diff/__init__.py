"""Changed files and what changed in them."""
