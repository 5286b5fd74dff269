"""Use cases shared by screen, command line and scripts: plans, archive, doctor, an owner in another process."""
