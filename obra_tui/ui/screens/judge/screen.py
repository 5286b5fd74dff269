"""Judge: standing, reliability, faults by kind and audits to do; an answer to an audit is given here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record, StandingChanged
from obra_tui.core.ids import AttemptId
from obra_tui.core.records.history import AttemptDetail
from obra_tui.ui.bindings import bindings
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.judge.page import PersonsWord, RecordScope, project_shown, read_page
from obra_tui.ui.screens.judge.rows import ALARM, AUDIT, JUDGE, JudgePage, audit_rows, list_rows, record_rows
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.view.status_words import Tone
from obra_tui.ui.view.statusline import StatusPart
from widgets.lists.choice_list import ChoiceList
from widgets.log_view.view import LogPane


class JudgeScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("judge")

    def __init__(self) -> None:
        super().__init__()
        self._page = JudgePage()
        self._rehearsal = False
        self._note = "reading…"
        self._shown: str | None = None

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="judge"):
            yield ChoiceList(id="judges", wrap=False)
            yield LogPane(id="record", follow=False)
        yield MessageLine(id="message")

    def on_mount(self) -> None:
        self.query_one("#judges").border_title = "Judges and audits"
        self.query_one("#judges").focus()
        self._rehearsal = bool(self.services.launch.rehearsal)
        self._word = PersonsWord(self.services, self._load)
        self._load()

    def on_screen_resume(self) -> None:
        if self.ready:
            self._load()

    # -- reading -------------------------------------------------------------------------------

    def _load(self) -> None:
        backend = self.services.backend
        if backend is not None:
            scope = RecordScope(
                project=project_shown(self.services),
                is_rehearsal=self._rehearsal,
                settings={item.name: item.value.strip('"') for item in backend.settings},
            )

            def read() -> None:
                try:
                    page = read_page(backend.history, scope)
                except ObraError as refused:
                    self.services.call_soon(partial(self._refused, refused))
                else:
                    self.services.call_soon(partial(self._take, page))

            self.run_worker(read, thread=True, exit_on_error=False, group="judge", exclusive=True)

    def _refused(self, refused: ObraError) -> None:
        self._note = str(refused)
        if self.ready:
            self.draw(())

    def _take(self, page: JudgePage) -> None:
        if self.ready:
            self._page, self._note, self._shown = page, "", None
            listed = self.query_one("#judges", ChoiceList)
            chosen = listed.highlighted
            listed.set_rows(list_rows(page))
            if not (chosen and listed.highlight(chosen)) and page.records:
                listed.highlight(f"{JUDGE}{page.records[0].version}")
            self._show_chosen()
            self.draw(())

    # -- showing -------------------------------------------------------------------------------

    def draw(self, records: Sequence[Record]) -> None:
        if any(isinstance(record.event, StandingChanged) for record in records):
            self._load()
        waiting = len(self._page.audits)
        self.show_status(
            StatusPart(text="JUDGE", strong=True),
            StatusPart(text="rehearsals" if self._rehearsal else "", tone=Tone.ASK),
            StatusPart(text="UNMEASURED: taken at its word" if self._page.is_given else "", tone=Tone.WARN),
            StatusPart(text=f"{waiting} audits to do" if waiting else "", tone=Tone.ASK),
            StatusPart(text=self._note, tone=Tone.MUTED),
        )

    def _chosen(self) -> str:
        return self.query_one("#judges", ChoiceList).highlighted

    def _show_chosen(self) -> None:
        chosen = self._chosen()
        if chosen == self._shown:
            return
        self._shown = chosen
        pane = self.query_one("#record", LogPane)
        pane.clear()
        if chosen.startswith(JUDGE) or not chosen:
            records = self._page.records
            version = chosen.removeprefix(JUDGE)
            found = next((item for item in records if item.version == version), records[0] if records else None)
            pane.border_title = "What is known of it"
            if found is not None:
                pane.extend(list(record_rows(found, self._page)))
        elif chosen.startswith(AUDIT):
            self._show_audit(AttemptId(chosen.removeprefix(AUDIT)))

    def _show_audit(self, attempt: AttemptId) -> None:
        backend = self.services.backend
        if backend is None:
            return
        self.query_one("#record").border_title = "Without the verdict"

        def read() -> None:
            try:
                detail = backend.history.attempt(attempt)
            except ObraError as refused:
                self.services.call_soon(partial(self._refused, refused))
            else:
                self.services.call_soon(partial(self._take_audit, detail))

        self.run_worker(read, thread=True, exit_on_error=False, group="audit")

    def _take_audit(self, detail: AttemptDetail) -> None:
        if self.ready and self._chosen() == f"{AUDIT}{detail.summary.id}":
            pane = self.query_one("#record", LogPane)
            pane.clear()
            pane.extend(list(audit_rows(detail)))

    # -- keys ----------------------------------------------------------------------------------

    @on(ChoiceList.Highlighted, "#judges")
    def _moved(self) -> None:
        self._show_chosen()
        self.refresh_bindings()

    @on(ChoiceList.Picked, "#judges")
    def _picked(self) -> None:
        chosen = self._chosen()
        if chosen.startswith(ALARM):
            self.services.navigator.open_attempt(AttemptId(chosen.removeprefix(ALARM)), "Diff")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("say_good", "say_bad"):
            return self.ready and self._chosen().startswith(AUDIT)
        if action == "acknowledge":
            return any(item.record.needs_acknowledgement for item in self._page.records)
        return super().check_action(action, parameters)

    def action_say_good(self) -> None:
        self._word.good(AttemptId(self._chosen().removeprefix(AUDIT)))

    def action_say_bad(self) -> None:
        attempt = AttemptId(self._chosen().removeprefix(AUDIT))
        self.query_one(MessageLine).ask("What is wrong with it", partial(self._word.bad, attempt))

    def action_acknowledge(self) -> None:
        self._word.acknowledge()

    def action_rehearsals(self) -> None:
        self._rehearsal = not self._rehearsal
        self._load()

    def action_reload(self) -> None:
        self._load()

    def action_go_back(self) -> None:
        self.services.navigator.show("live")
