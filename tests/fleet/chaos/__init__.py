"""Kills, freezes and cuts off the processes of a fleet again and again, and looks for harm afterwards, from outside."""
