"""A long time in a short one: many attempts, one program, and a look at what it holds on to."""
