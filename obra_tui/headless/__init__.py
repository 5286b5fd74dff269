"""A run without a screen: what is printed, and with which exit code it ends."""
