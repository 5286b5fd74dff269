"""How events reach the screen from the engine's thread."""
