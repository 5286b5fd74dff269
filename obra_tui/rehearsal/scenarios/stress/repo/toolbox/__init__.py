"""Small tools, one module each."""
