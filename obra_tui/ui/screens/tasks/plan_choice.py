"""Choose the file that tasks are imported from: those that the project has, or another one by its name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from obra_tui.core.errors import PlanError
from obra_tui.core.model import Plan
from obra_tui.ui.plain import plain, plain_text
from obra_tui.ui.ports import Plans
from obra_tui.ui.services import services_of
from obra_tui.ui.view.format import plural
from widgets.lines import LogLine, Span
from widgets.lists.choice_list import ChoiceList

NOTE = (
    "A checklist (tasks.md, TODO.md, PRD.md), a spec-kit tasks.md, a plan.toml, or what gh issue list --json printed."
)


class PlanChoice(ModalScreen[Plan | None]):
    """Dismissed with the plan of the chosen file, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="plan.leave", priority=True),
        Binding("tab", "other_part", "Other part", id="plan.part", priority=True),
    ]

    def __init__(self, plans: Plans) -> None:
        super().__init__()
        self._plans = plans
        self._read: dict[str, Plan | PlanError] = {}
        self._names: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-picker"):
            yield Static(plain_text(NOTE), id="note")
            yield ChoiceList(id="choices", wrap=False)
            yield Input(placeholder="or another file, then enter", id="filter", compact=True)
            yield Static(Content(""), id="refusal")
            yield Static(_HINT, id="hint")

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = "Import tasks"
        self.query_one(ChoiceList).focus()
        self._say("looking for plan files…")
        services_of(self.app).in_thread(self._look)

    def _look(self) -> None:
        """In a worker thread: the names first, then what is in each of them."""
        names = tuple(self._plans.found())
        self._soon(partial(self._found, names))
        for name in names:
            self._soon(partial(self._took, name, _read(self._plans, name)))

    def _soon(self, call: partial[None]) -> None:
        services_of(self.app).call_soon(lambda: call() if self.is_attached else None)

    def _found(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._say("" if names else "No plan file is in this project: name one below.")
        if not names:
            self.query_one("#filter").focus()
        self._draw()

    def _took(self, name: str, read: Plan | PlanError) -> None:
        self._read[name] = read
        self._draw()

    def _draw(self) -> None:
        self.query_one(ChoiceList).set_rows([_row(name, self._read.get(name)) for name in self._names])

    # -- keys ----------------------------------------------------------------------------------

    def on_choice_list_picked(self, message: ChoiceList.Picked) -> None:
        self._choose(message.key, self._read.get(message.key))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        if name:
            self._say("reading…")
            services_of(self.app).in_thread(lambda: self._soon(partial(self._choose, name, _read(self._plans, name))))

    def _choose(self, name: str, read: Plan | PlanError | None) -> None:
        if isinstance(read, Plan):
            self.dismiss(read)
        elif read is not None:
            self._say(str(read))

    def _say(self, text: str) -> None:
        self.query_one("#refusal", Static).update(plain_text(text))

    def action_other_part(self) -> None:
        self.query_one(ChoiceList if self.query_one("#filter").has_focus else "#filter").focus()

    def action_leave(self) -> None:
        self.dismiss(None)


def _read(plans: Plans, name: str) -> Plan | PlanError:
    try:
        return plans.read(name)
    except PlanError as refused:
        return refused


def _row(name: str, read: Plan | PlanError | None) -> LogLine:
    spans: Sequence[Span] = (Span(0, len(name), "tool"),)
    match read:
        case Plan():
            return LogLine(f"{name}  {plain(read.title)}", key=name, spans=tuple(spans), aside=_size(read))
        case PlanError():
            return LogLine(f"{name}  {read.what}", key=name, spans=tuple(spans), glyph="✗", style="dim")
        case _:
            return LogLine(name, key=name, spans=tuple(spans), aside="reading…")


def _size(plan: Plan) -> str:
    passed = f" · {plural(len(plan.notes), 'line is', 'lines are')} no task" if plan.notes else ""
    return f"{plural(len(plan.tasks), 'open task')}{passed}"


_HINT = Content("  ").join(
    [
        Content.assemble((key, "bold $footer-key-foreground"), f" {label}")
        for key, label in (("enter", "Look inside"), ("tab", "Another file"), ("esc", "Back"))
    ]
)
