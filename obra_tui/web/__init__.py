"""Gates in a browser: pages that a server renders, for telephone and desktop, usable without JavaScript.

Reads by the role `History` and asks by commands, as every other door does; knows no screen, no engine and no SQL.
"""
