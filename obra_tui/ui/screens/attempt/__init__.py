"""One attempt in seven pages."""
