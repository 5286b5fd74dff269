"""The last row: what the keys do now, read from the live bindings; help is always among them.

One widget that draws one line: Textual's own footer mounts a widget per key
and builds them anew at every change.
"""

from collections.abc import Sequence

from msgspec import Struct
from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

HELP = "show_help"
FIRST = ("answer_question", "review_gate")


class FooterKey(Struct, frozen=True):
    key: str
    """As Textual names it, to press it by mouse."""
    shown: str
    label: str
    action: str
    enabled: bool = True

    @property
    def width(self) -> int:
        return cell_len(self.shown) + 1 + cell_len(self.label)


class KeyLine(Widget):
    """The shown bindings of the screen and what has the focus."""

    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; width: 1fr; padding: 0 1; background: $panel; color: $foreground; }
    """
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._entries: tuple[FooterKey, ...] = ()

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._updated)
        self._updated(self.screen)

    def _updated(self, screen: Screen[object]) -> None:
        if not screen.is_attached:
            return
        entries = tuple(
            FooterKey(
                key=binding.key,
                shown=self.app.get_key_display(binding),
                label=binding.description,
                action=binding.action,
                enabled=enabled,
            )
            for _, binding, enabled, _ in screen.active_bindings.values()
            if binding.show
        )
        entries = without_repeats(entries)
        if entries != self._entries:
            self._entries = entries
            self.refresh()

    def render(self) -> Content:
        width = self.content_size.width
        return Content("  ").join([self._piece(entry) for entry in fitting(self._entries, width)])

    def _piece(self, entry: FooterKey) -> Content:
        key = Content.styled(entry.shown, "bold $footer-key-foreground")
        text = Content.assemble(key, " ", entry.label)
        return text if entry.enabled else text.stylize("dim")

    def on_click(self, event: events.Click) -> None:
        x = event.x - self.gutter.left
        for entry in fitting(self._entries, self.content_size.width):
            if 0 <= x < entry.width and entry.enabled:
                self.app.simulate_key(entry.key)
                return
            x -= entry.width + 2


def without_repeats(entries: Sequence[FooterKey]) -> tuple[FooterKey, ...]:
    """Return the first key of each action, those first that answer what waits."""
    seen: dict[str, FooterKey] = {}
    for entry in entries:
        seen.setdefault(entry.action, entry)
    return tuple(sorted(seen.values(), key=lambda entry: entry.action not in FIRST))


def fitting(entries: Sequence[FooterKey], width: int) -> list[FooterKey]:
    """Return what fits, help always at the end: without it nobody finds the rest."""
    rest = [entry for entry in entries if entry.action != HELP]
    last = [entry for entry in entries if entry.action == HELP]
    room = width - sum(entry.width + 2 for entry in last)
    shown = []
    for entry in rest:
        if entry.width > room:
            break
        shown.append(entry)
        room -= entry.width + 2
    return [*shown, *last]
