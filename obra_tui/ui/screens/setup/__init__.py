"""What is ready on this machine, and the settings in force."""
