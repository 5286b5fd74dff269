"""A task in full: every field, what is wrong with it while it is typed, and the way into the person's own editor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static, TextArea

from obra_tui.core.errors import PlanError
from obra_tui.core.model import TaskSpec
from obra_tui.core.plans.fields import LIMITS, TaskFields, keys_in, remarks_on, spec_of
from obra_tui.core.plans.text import fields_in, text_of
from obra_tui.ui.actions.suspend import edit_text
from obra_tui.ui.plain import plain_text
from obra_tui.ui.services import services_of

Pick = Callable[[tuple[str, ...], Callable[[tuple[str, ...]], None]], None]
"""Lets the person pick tasks, beginning with these keys; the second part is told which they picked."""

_LABELS = {
    "prompt": "Prompt",
    "acceptance": "Accepted when · one per line",
    "after": "After",
    "checks": "Checks of this task alone · one command per line",
}
_TITLE = "What is to be done"
_PROMPT = "What Claude is told beside the title"
_LIMIT_LABELS = {"turns": "turns", "cost": "US $", "seconds": "seconds", "tokens": "tokens"}


class TaskForm(ModalScreen[TaskSpec | None]):
    """Dismissed with the task as it is written, or with None. Only ctrl+s keeps it; enter makes new lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "keep", "Keep", id="form.keep", priority=True),
        Binding("ctrl+g", "edit_outside", "Editor", id="form.editor", priority=True),
        Binding("ctrl+t", "pick", "Pick tasks", id="form.pick", priority=True),
        Binding("escape", "leave", "Back", id="form.leave", priority=True),
    ]

    def __init__(
        self,
        title: str,
        spec: TaskSpec,
        fields: TaskFields,
        others: Sequence[TaskSpec],
        pick: Pick,
        *,
        outside: bool = False,
    ) -> None:
        """`others` are the other tasks of the plan; with `outside` the editor opens at once."""
        super().__init__()
        self._title = title
        self._spec = spec
        self._first = fields
        self._others = tuple(others)
        self._pick = pick
        self._outside = outside
        self._leaving = False

    def compose(self) -> ComposeResult:
        first = self._first
        with Vertical(id="dialog", classes="-tall -form"):
            with VerticalScroll(id="fields", can_focus=False):
                yield Input(first.title, placeholder=_TITLE, id="field-title", compact=True, select_on_focus=False)
                yield Static(_LABELS["prompt"], classes="label")
                yield TextArea(first.prompt, id="field-prompt", compact=True, placeholder=_PROMPT)
                yield Static(_LABELS["acceptance"], classes="label")
                yield TextArea(first.acceptance, id="field-acceptance", compact=True)
                with Horizontal(classes="row"):
                    yield Static(f"{_LABELS['after']} ", classes="label")
                    yield Input(first.after, placeholder="T001, T002 · ctrl+t picks", id="field-after", compact=True)
                yield Static(_LABELS["checks"], classes="label")
                yield TextArea(first.checks, id="field-checks", compact=True)
                with Horizontal(classes="row"):
                    yield Static("Limits ", classes="label")
                    for name in LIMITS:
                        yield Input(
                            getattr(first, name), placeholder="–", id=f"field-{name}", compact=True, classes="limit"
                        )
                        yield Static(f" {_LIMIT_LABELS[name]}  ", classes="label")
            yield Static(Content(""), id="refusal")
            yield Static(_hint(), id="hint")

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = plain_text(self._title)
        self.query_one("#field-title").focus()
        self._judge()
        if self._outside:
            self.call_after_refresh(self.action_edit_outside)

    @property
    def fields(self) -> TaskFields:
        """What stands in the form now."""
        inputs = {name: self.query_one(f"#field-{name}", Input).value for name in ("title", "after", *LIMITS)}
        areas = {name: self.query_one(f"#field-{name}", TextArea).text for name in ("prompt", "acceptance", "checks")}
        return replace(self._first, **inputs, **areas)

    def on_input_changed(self) -> None:
        self._judge()

    def on_text_area_changed(self) -> None:
        self._judge()

    def _judge(self) -> None:
        """Say what is wrong, what blocks first; two lines are enough at a time."""
        self._leaving = False
        remarks = remarks_on(self.fields, self._spec, self._others)
        said = [(f"{'✗' if item.blocks else '!'} {item.text}", item.blocks) for item in remarks[:2]]
        lines = [Content.styled(text, "$text-error" if blocks else "$text-warning") for text, blocks in said]
        self.query_one("#refusal", Static).update(Content("\n").join(lines))

    # -- keys ----------------------------------------------------------------------------------

    def action_keep(self) -> None:
        fields = self.fields
        wrong = next((item for item in remarks_on(fields, self._spec, self._others) if item.blocks), None)
        if wrong is not None:
            self.query_one(f"#field-{wrong.field}" if wrong.field != "key" else "#field-title").focus()
            return
        self.dismiss(spec_of(fields, self._spec))

    def action_pick(self) -> None:
        self._pick(keys_in(self.fields.after), lambda keys: self._write("after", ", ".join(keys)))

    def action_edit_outside(self) -> None:
        text, problem = edit_text(self.app, text_of(self.fields), f"{self._spec.key}.md")
        if problem:
            services_of(self.app).notify(problem, problem=True)
        if text is None:
            return
        try:
            written = fields_in(text)
        except PlanError as refused:
            services_of(self.app).notify(str(refused), problem=True)
            return
        for name in ("title", "prompt", "acceptance", "after", "checks", *LIMITS):
            self._write(name, getattr(written, name))

    def action_leave(self) -> None:
        """What was typed is only thrown away when escape is pressed twice."""
        if self.fields == self._first or self._leaving:
            self.dismiss(None)
            return
        self._leaving = True
        self.query_one("#refusal", Static).update(
            Content.styled("! Not kept yet: ctrl+s keeps it, esc once more throws it away.", "$text-warning")
        )

    def _write(self, name: str, text: str) -> None:
        field = self.query_one(f"#field-{name}")
        if isinstance(field, Input):
            field.value = text
        elif isinstance(field, TextArea):
            field.load_text(text)


def _hint() -> Content:
    keys = (
        ("ctrl+s", "Keep"),
        ("ctrl+g", "Editor"),
        ("ctrl+t", "Pick tasks"),
        ("tab", "Next field"),
        ("esc", "Back"),
    )
    pieces = [Content.assemble((key, "bold $footer-key-foreground"), f" {label}") for key, label in keys]
    return Content("  ").join(pieces)
