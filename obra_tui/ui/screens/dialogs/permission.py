"""Claude asks: the exact command, why it is asked, what it touches, and three answers.

Opens only because a person asked for it, and takes no key before there was silence.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from obra_tui.core.commands import AnswerPermission
from obra_tui.core.errors import ObraError
from obra_tui.core.ids import QuestionId
from obra_tui.core.model import PermissionAnswer, PermissionKind, PermissionQuestion, PermissionVerdict
from obra_tui.ui.bindings import bindings
from obra_tui.ui.feeds.lines import text_lines
from obra_tui.ui.plain import plain, plain_text
from obra_tui.ui.screens.dialogs.questions import WriteDialog
from obra_tui.ui.screens.key_line import KeyLine
from obra_tui.ui.services import AppServices, services_of
from obra_tui.ui.state import PermissionView
from obra_tui.ui.view.menus import Writing
from widgets.bars.decision_bar import AnswerOption, DecisionBar
from widgets.key_guard import ArmedScreen, Arming
from widgets.lines import LogLine
from widgets.lists.choice_list import ChoiceList
from widgets.log_view.view import LogPane
from widgets.text import clean_line

MOST_ROWS = 10
_TITLES = {
    PermissionKind.TOOL: "Claude wants to run",
    PermissionKind.PLAN: "Claude shows a plan",
    PermissionKind.QUESTION: "Claude asks you",
}


class PermissionScreen(ArmedScreen, ModalScreen[object]):
    BINDINGS: ClassVar[list[BindingType]] = bindings("permission")
    ARMED_FOCUS = "#detail, #options"

    def __init__(self, asked: PermissionView) -> None:
        super().__init__()
        self._asked = asked
        self._sending = False
        self._marked: set[str] = set()
        """Numbers of the answers that are to be given together."""
        self._unwatch: Callable[[], None] = lambda: None

    @property
    def services(self) -> AppServices:
        return services_of(self.app)

    @property
    def question_shown(self) -> QuestionId:
        """For the navigator: one question at a time."""
        return self._asked.id

    @property
    def _question(self) -> PermissionQuestion:
        return self._asked.question

    def make_arming(self) -> Arming:
        return Arming(self.services.launch.review_grace_s, self.services.clock.monotonic)

    def compose(self) -> ComposeResult:
        question = self._question
        with Vertical(id="dialog", classes="-permission"):
            yield Static(Content.styled(clean_line(self._head()), "bold"), id="command")
            yield Static(self._why(), id="note")
            if question.kind is PermissionKind.QUESTION and question.options:
                yield ChoiceList(id="options")
            if question.detail:
                yield LogPane(id="detail", follow=False)
            yield DecisionBar(id="answers")
            yield KeyLine()

    def _head(self) -> str:
        question = self._question
        return f"{question.tool}  {question.title}" if question.kind is PermissionKind.TOOL else question.title

    def _why(self) -> Content:
        """Why it is asked, then in a row what it touches."""
        question = self._question
        parts = [plain_text(question.why)] if question.why else []
        dangers = [Content.styled(f"! {clean_line(danger)}", "bold $text-warning") for danger in question.dangers]
        return Content("\n").join([*parts, *([Content("  ").join(dangers)] if dangers else [])])

    def on_mount(self) -> None:
        view = self.services.view
        task = view.tasks.get(self._asked.task)
        dialog = self.query_one("#dialog")
        dialog.border_title = plain(f"{_TITLES[self._question.kind]} · {task.spec.key if task else ''}")
        dialog.border_subtitle = plain(self._place())
        for pane in self.query("#detail").results(LogPane):
            pane.border_title = "The whole input"
            lines = text_lines(self._question.detail, "output", cap=5_000)
            pane.extend(lines)
            pane.styles.height = min(len(lines), MOST_ROWS) + 2
        for options in self.query("#options").results(ChoiceList):
            options.border_title = "Answers"
            options.styles.height = min(len(self._question.options), MOST_ROWS) + 2
            options.set_rows(self._option_rows())
        bar = self.query_one(DecisionBar)
        bar.show(self._answers())
        bar.armed = self.guard.is_armed
        self._unwatch = self.services.view_store.subscribe(lambda records: self._look())

    def _option_rows(self) -> list[LogLine]:
        rows = []
        for number, text in enumerate(self._question.options):
            mark = ("[x] " if str(number) in self._marked else "[ ] ") if self._question.several else ""
            rows.append(LogLine(f"{mark}{text}", key=str(number)))
        return rows

    def on_unmount(self) -> None:
        self._unwatch()

    def _place(self) -> str:
        open_ones = sorted(self.services.view.permissions.values(), key=lambda item: item.asked_at)
        number = next((n for n, item in enumerate(open_ones, 1) if item.id == self._asked.id), 1)
        return f"{number} of {max(1, len(open_ones))}" if len(open_ones) > 1 else ""

    def _answers(self) -> list[AnswerOption]:
        question, key = self._question, self.services.key_label
        later = AnswerOption(key("permission.later"), "Later", "Claude stands still until you answer")
        if question.kind is PermissionKind.QUESTION:
            chosen = "the highlighted answer" if question.options else "write the answer"
            if question.several:
                chosen = f"all that is marked ({key('permission.mark')} marks)"
            return [
                AnswerOption(key("permission.allow_once"), "Answer", chosen),
                AnswerOption(key("permission.deny"), "Write…", "answer in your own words"),
                later,
            ]
        if question.kind is PermissionKind.PLAN:
            return [
                AnswerOption(
                    key("permission.allow_once"), "Approve the plan", "Claude carries it out, step by step as allowed"
                ),
                AnswerOption(key("permission.deny"), "Send back…", "Claude reads what you write and plans again"),
                later,
            ]
        rule = f"{question.session_rule}, until it ends" if question.session_rule else ""
        return [
            AnswerOption(key("permission.allow_once"), "Allow once", "this call and no other"),
            AnswerOption(
                key("permission.allow_session"),
                "Allow for this session",
                rule,
                enabled=bool(rule),
                why_not="no safe rule fits",
            ),
            AnswerOption(key("permission.deny"), "Deny…", "Claude is told your reason and goes on without it"),
            later,
        ]

    def on_armed_changed(self, armed: bool) -> None:
        for bar in self.query(DecisionBar):
            bar.armed = armed

    def _look(self) -> None:
        """Somebody else answered, or Claude is gone: there is nothing to answer any more."""
        if not self._sending and self._asked.id not in self.services.view.permissions:
            self.services.notify("The question was answered or withdrawn.")
            self._sending = True
            self.dismiss(None)

    # -- answers -------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "mark" and not self._question.several:
            return False
        if action == "allow_session" and not self._question.session_rule:
            return False
        if action in ("allow_once", "allow_session", "deny") and self._sending:
            return False
        return super().check_action(action, parameters)

    def action_allow_once(self) -> None:
        question = self._question
        if question.kind is not PermissionKind.QUESTION:
            self._answer(PermissionVerdict.ONCE)
        elif question.options:
            self._answer(PermissionVerdict.ONCE, self._picked())
        else:
            self._write_answer()

    def _picked(self) -> str:
        """Return the marked answers, or the highlighted one."""
        highlighted = self.query_one("#options", ChoiceList).highlighted or "0"
        numbers = sorted(int(number) for number in self._marked or {highlighted})
        return ", ".join(self._question.options[number] for number in numbers)

    def action_mark(self) -> None:
        options = self.query_one("#options", ChoiceList)
        self._marked ^= {options.highlighted}
        options.set_rows(self._option_rows())

    def action_show_rules(self) -> None:
        self.services.navigator.show_rules()

    def action_allow_session(self) -> None:
        if self._question.session_rule:
            self._answer(PermissionVerdict.SESSION)

    def action_deny(self) -> None:
        if self._question.kind is PermissionKind.QUESTION:
            self._write_answer()
            return
        plan = self._question.kind is PermissionKind.PLAN
        writing = Writing(
            title="Send the plan back" if plan else "Deny",
            explanation=f"{self._head()}\n\nClaude reads your reason.",
            send_label="Send" if plan else "Deny",
            placeholder="What should be planned otherwise?" if plan else "Why not, and what instead?",
        )
        self._write(writing, PermissionVerdict.DENY)

    def _write_answer(self) -> None:
        writing = Writing(title="Your answer", explanation=self._question.title, send_label="Answer")
        self._write(writing, PermissionVerdict.ONCE)

    def _write(self, writing: Writing, verdict: PermissionVerdict) -> None:
        def written(text: str | None) -> None:
            if text is not None:
                self._answer(verdict, text)

        self.app.push_screen(WriteDialog(writing), written)

    def _answer(self, verdict: PermissionVerdict, note: str = "") -> None:
        self._sending = True
        answer = PermissionAnswer(verdict=verdict, by=self.services.launch.person, note=note)
        command = AnswerPermission(question=self._asked.id, answer=answer)
        self.services.commands.send(command, partial(self._answered, self._asked.id), self._refused)

    def _answered(self, question: QuestionId, _: object) -> None:
        self.dismiss(None)
        self.services.navigator.answer_next(after=question)

    def _refused(self, refused: ObraError) -> None:
        self._sending = False
        self.services.notify(str(refused), problem=True)
        self.guard.start()
        self.refresh_bindings()

    def action_later(self) -> None:
        self.dismiss(None)
