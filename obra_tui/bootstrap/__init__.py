"""The one place that names every concrete class.

Each module here builds one thing out of the rooms. Importing this package
costs nothing: what is heavy is imported inside the functions, which run in the
engine's thread or after the first paint.
"""
