"""How settings are read: sections, layers, places for errors, trust. `obra_tui.settings` is the door."""
