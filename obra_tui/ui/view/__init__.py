"""Values and text for the screens, made from records; imports no Textual."""
