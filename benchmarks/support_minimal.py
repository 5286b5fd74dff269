"""The smallest application that Textual allows: what a first paint costs at least."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Minimal(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static("MINIMAL")


if __name__ == "__main__":
    Minimal().run()
