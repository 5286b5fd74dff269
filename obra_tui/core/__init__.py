"""The language all rooms share: values, events, commands, ports and rules. Standard library only."""
