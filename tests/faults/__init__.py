"""The faults that Obra must survive, and which test shows that it does."""
