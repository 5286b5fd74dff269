"""What stored records say: history, search, figures, comparison, export. Pure."""
