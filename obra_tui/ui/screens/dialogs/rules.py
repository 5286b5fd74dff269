"""What Claude may do without asking for the rest of the session, how often it did, and a key that takes it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from obra_tui.core.commands import RevokeRule
from obra_tui.core.ids import RuleId
from obra_tui.core.permission_rules import SessionRule, active_rules
from obra_tui.core.records.attempt_words import person_name
from obra_tui.ui.bindings import bindings
from obra_tui.ui.plain import plain_text
from obra_tui.ui.screens.key_line import KeyLine
from obra_tui.ui.services import AppServices, services_of
from obra_tui.ui.view.format import clock_time, plural
from widgets.lines import LogLine, Span
from widgets.lists.choice_list import ChoiceList

_ROWS_EACH = 4
"""Three lines, and one to spare for what is long."""
_MOST_SHOWN = 5
_SOME = "Claude is not asked about these until the session ends. A rule that is revoked holds no longer at once."
_NONE = "Nothing was allowed for the session. `Allow for this session` in one of Claude's questions makes a rule."


class RulesScreen(ModalScreen[object]):
    BINDINGS: ClassVar[list[BindingType]] = bindings("rules")

    def __init__(self) -> None:
        super().__init__()
        self._unwatch: Callable[[], None] = lambda: None
        self._shown: tuple[SessionRule, ...] | None = None

    @property
    def services(self) -> AppServices:
        return services_of(self.app)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-rules"):
            yield Static(plain_text(""), id="note")
            yield ChoiceList(id="choices")
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = "Allowed for the session"
        self._draw()
        self.query_one(ChoiceList).focus()
        self._unwatch = self.services.view_store.subscribe(lambda records: self._draw())

    def on_unmount(self) -> None:
        self._unwatch()

    def _draw(self) -> None:
        rules = active_rules(self.services.view.rules)
        if rules == self._shown:
            return
        self._shown = rules
        self.query_one("#note", Static).update(plain_text(_SOME if rules else _NONE))
        choices = self.query_one(ChoiceList)
        choices.set_rows([_row(rule) for rule in rules])
        choices.display = bool(rules)
        choices.styles.height = min(len(rules), _MOST_SHOWN) * _ROWS_EACH
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self._shown) if action == "revoke" else super().check_action(action, parameters)

    def action_revoke(self) -> None:
        picked = RuleId(self.query_one(ChoiceList).highlighted)
        rule = self.services.view.rules.get(picked)
        if rule is None:
            return
        told = f"Revoked: {rule.pattern} is asked again from the next call on."
        command = RevokeRule(session=rule.session, rule=rule.id, by=self.services.launch.person)
        self.services.commands.send(command, lambda _: self.services.notify(told))

    def action_leave(self) -> None:
        self.dismiss(None)

    def on_log_pane_pane_message(self) -> None:
        """Moves of the cursor need no answer."""


def _row(rule: SessionRule) -> LogLine:
    used = "not used yet"
    if rule.used_at is not None:
        used = f"used {plural(rule.used, 'time')}, last at {clock_time(rule.used_at)}: {rule.used_for}"
    made = f"since {clock_time(rule.since)} by {person_name(rule.by)}, asked for {rule.title}"
    text = f"{rule.pattern}\n  {made}\n  {used}"
    return LogLine(
        text,
        key=rule.id,
        spans=(Span(0, len(rule.pattern), "strong"), Span(len(rule.pattern) + 1, 10_000, "dim")),
        hang="    ",
    )
