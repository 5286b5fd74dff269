"""One widget on a screen of its own, and what a person would read there."""

from contextlib import asynccontextmanager

from textual.app import App

from widgets.text import SafeLineFilter


class Bench(App):
    """An app that shows the widgets it is given and remembers their messages."""

    def __init__(self, *widgets, safe=True):
        super().__init__()
        self._widgets = widgets
        self._filter = SafeLineFilter()
        self._use_filter = safe
        self.heard = []
        self.copied = []

    def compose(self):
        yield from self._widgets

    def get_line_filters(self):
        filters = super().get_line_filters()
        return [*filters, self._filter] if self._use_filter else filters

    def copy_to_clipboard(self, text):
        self.copied.append(text)

    def listen(self, *kinds):
        """Remember messages of these kinds."""
        self.kinds = kinds

    async def on_event(self, event):
        await super().on_event(event)

    def _on_message_heard(self, message):
        self.heard.append(message)

    async def _dispatch_message(self, message):
        if isinstance(message, getattr(self, "kinds", ())):
            self.heard.append(message)
        await super()._dispatch_message(message)


@asynccontextmanager
async def showing(*widgets, size=(80, 24), safe=True, hear=()):
    """Run an app with these widgets; the first one is focused when it can be."""
    app = Bench(*widgets, safe=safe)
    app.listen(*hear)
    async with app.run_test(size=size) as pilot:
        if widgets[0].can_focus:
            widgets[0].focus()
        await pilot.pause()
        yield pilot


def rows(app):
    """The screen as text, row by row, blanks at the end cut."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def text(app):
    """The screen as one text."""
    return "\n".join(rows(app))
