"""Plans: the values of a plan, and the text forms they are read from and written to. Pure."""
