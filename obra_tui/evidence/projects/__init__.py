"""What a project says of itself: how it is set up, how it is tested, what of it a copy lacks. Nothing of it is run."""
