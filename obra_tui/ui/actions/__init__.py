"""What a person can do from several screens: confirm, undo, take over, change the plan."""
