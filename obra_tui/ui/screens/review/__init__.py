"""Gates: the list, and the review of one."""
