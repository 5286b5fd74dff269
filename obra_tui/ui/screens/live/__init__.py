"""The run as it happens, and the replay of an earlier one."""
