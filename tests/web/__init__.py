"""The web view: who may come in, what it shows, and how an answer leaves it."""
