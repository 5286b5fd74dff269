"""How settings are read: sections, layers, places for errors, trust. `obra_tui.config.load` is the door."""
