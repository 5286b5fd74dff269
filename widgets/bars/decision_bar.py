"""What each answer would do, written out before it is given. The keys themselves belong to the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from widgets.segments import cut, joined, piece


@dataclass(frozen=True, slots=True)
class AnswerOption:
    """One possible answer: its key, its name and its consequence; `why_not` explains a disabled one."""

    key: str
    label: str
    consequence: str
    _: KW_ONLY
    enabled: bool = True
    why_not: str = ""


class DecisionBar(Widget):
    """A legend of answers; dimmed until the screen takes answers."""

    DEFAULT_CSS = """
    DecisionBar { height: auto; width: 1fr; padding: 0 1; border: round $foreground 35%; }
    DecisionBar.-armed { border: heavy $accent; }
    DecisionBar.-short { border: none; }
    """

    armed: reactive[bool] = reactive(False)
    short: reactive[bool] = reactive(False, layout=True)

    def __init__(self, *, short: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._answers: tuple[AnswerOption, ...] = ()
        self._note = ""
        self._preview: str | None = None
        self.set_reactive(DecisionBar.short, short)
        self.set_class(short, "-short")

    def show(self, answers: Sequence[AnswerOption], note: str = "") -> None:
        """Show these answers; `note` stands below them (until when an answer can be undone)."""
        if (tuple(answers), note) != (self._answers, self._note):
            self._answers, self._note = tuple(answers), note
            self.refresh(layout=True)

    def preview(self, key: str | None) -> None:
        """In the short form, show the consequence of one answer in place of the legend."""
        self._preview = key
        self.refresh(layout=True)

    def watch_armed(self, armed: bool) -> None:
        """The border changes with the text, so that it is not colour alone."""
        self.set_class(armed, "-armed")
        self.refresh(layout=True)

    def watch_short(self, short: bool) -> None:
        """One line without a border."""
        self.set_class(short, "-short")

    def render(self) -> Content:
        """The legend in one or two columns."""
        width = self.content_size.width
        lines = [cut(line, width) for line in self._lines(width)]
        content = Content("\n").join(lines)
        return content if self.armed else content.stylize_before("dim")

    def _lines(self, width: int) -> list[Content]:
        if self.short:
            return [self._short_line()]
        lines = self._legend(width)
        if not self.armed:
            lines.append(piece("wait: keys are not taken yet", "italic"))
        elif self._note:
            lines.append(piece(self._note, "$foreground 70%"))
        return lines

    def _short_line(self) -> Content:
        chosen = next((answer for answer in self._answers if answer.key == self._preview), None)
        if chosen is not None:
            return self._answer(chosen)
        return piece("  ").join([self._labelled(answer) for answer in self._answers])

    def _legend(self, width: int) -> list[Content]:
        cells = [self._answer(answer) for answer in self._answers]
        half = width // 2 - 1
        if any(cell.cell_length > half for cell in cells):
            return cells
        pairs = [cells[i : i + 2] for i in range(0, len(cells), 2)]
        return [joined([pair[0].pad_right(half + 2 - pair[0].cell_length), *pair[1:]]) for pair in pairs]

    def _labelled(self, answer: AnswerOption) -> Content:
        key = "bold $text-accent" if answer.enabled and self.armed else "$foreground 50%"
        return joined([piece(answer.key, key), piece(f" {answer.label}", "" if answer.enabled else "strike")])

    def _answer(self, answer: AnswerOption) -> Content:
        said = answer.consequence if answer.enabled else f"not possible: {answer.why_not}"
        return joined([self._labelled(answer), piece(f" → {said}", "$foreground 80%")])

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """All there is."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as the legend has at this width."""
        return len(self._lines(width))
