"""What the supervisor sees for itself: isolated copies, diffs, and the project's own checks."""
