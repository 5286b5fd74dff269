"""History: every session, down to the attempts of its tasks, or what a search line finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from obra_tui.core import events as e
from obra_tui.core.events import Record
from obra_tui.core.records.search import read_as
from obra_tui.ui.bindings import bindings
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.history.listing import Listing, Selection
from obra_tui.ui.screens.history.pages import HistoryPages
from obra_tui.ui.screens.history.search_line import SearchKeys
from obra_tui.ui.screens.history.session_actions import SessionKeys
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.screens.parts import ScreenPart
from obra_tui.ui.view.status_words import Tone
from obra_tui.ui.view.statusline import StatusPart
from widgets.lines import LogLine
from widgets.lists.choice_list import ChoiceList
from widgets.log_view.view import LogPane

MARKS = 2
_NOT_WHILE_WRITING = frozenset({"open_item", "mark", "copy", "compare", "export"})
"""Keys before all others that are text while somebody writes the search line."""
_NEWS = (
    e.SessionOpened,
    e.SessionClosed,
    e.TaskMoved,
    e.AttemptStarted,
    e.GateJudged,
    e.DecisionMade,
)
"""What changes a row."""
_LEFT_OUT = "blind: undecided work is left out"


class HistoryScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("history")

    def __init__(self) -> None:
        super().__init__()
        self.pages = HistoryPages(self, self._show_rows)
        self._search_keys = SearchKeys(self, self.pages.search, lambda: self.pages.line)
        self._marks = MarkKeys(self, self.subject, self._show_marks)
        self.add_part(self._search_keys)
        self.add_part(self._marks)
        self._list_keys = ListKeys(self, self.pages, self.subject)
        self.add_part(self._list_keys)
        self.add_part(SessionKeys(self, self.subject, self.pages.take_labels, self.search_for))

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="history"):
            yield ChoiceList(id="list", wrap=False)
            yield LogPane(id="detail", follow=False)
        yield MessageLine(id="message")

    def on_mount(self) -> None:
        self.query_one("#list").focus()
        self.pages.load()

    def on_screen_resume(self) -> None:
        if self.ready:
            self.pages.load()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _NOT_WHILE_WRITING and self._search_keys.is_writing:
            return False
        return super().check_action(action, parameters)

    # -- drawing -------------------------------------------------------------------------------

    def draw(self, records: Sequence[Record]) -> None:
        pages = self.pages
        news = not pages.line and any(isinstance(record.event, _NEWS) for record in records)
        if news or (not pages.is_read and self.services.backend is not None):
            pages.load()
        said, marked = read_as(pages.query), len(self._marks.marked)
        self.show_status(
            StatusPart(text="HISTORY", strong=True),
            StatusPart(text=self._seen.place),
            StatusPart(text=f"filter: {pages.line}" if pages.line else ""),
            StatusPart(text=f"read as {said}" if said else "", tone=Tone.MUTED, shrinks=True),
            StatusPart(text=f"{marked} marked" if marked else "", tone=Tone.ASK),
            StatusPart(text=pages.reading.doing, tone=Tone.MUTED),
            StatusPart(text=pages.reading.problem, tone=Tone.FAIL),
            StatusPart(text=_LEFT_OUT if self._leaves_out else "", tone=Tone.WARN, urgent=True),
        )

    @property
    def _leaves_out(self) -> bool:
        """Said whether or not something was found: that alone would give a number away."""
        listing = self.pages.listing
        return listing.by_score and listing.opened is None and bool(self.services.blinded.attempts)

    @property
    def _seen(self) -> Listing:
        return self.pages.listing.without(self.services.blinded)

    def _show_rows(self, keep: bool = True) -> None:
        rows = self._seen.rows(self.services.clock.now(), [subject.id for subject in self._marks.marked])
        listed = self.query_one("#list", ChoiceList)
        listed.border_title = self.pages.listing.title
        listed.set_rows(rows or [LogLine(text, style="dim") for text in self._empty()], keep=keep)
        self._show_card()

    def _show_marks(self) -> None:
        self._show_rows()
        self.draw(())

    def _empty(self) -> list[str]:
        if self.pages.listing.opened is not None:
            return ["No attempt was made in this session."]
        if self.pages.listing.searched:
            nothing = [f"Nothing has: {read_as(self.pages.query) or 'no word to search for'}."]
            return [*nothing, f"{_LEFT_OUT[0].upper()}{_LEFT_OUT[1:]}."] if self._leaves_out else nothing
        found = f"{self.pages.sources} " if self.pages.sources else ""
        return [
            "Nothing yet: every session is kept here.",
            f"{self.services.key_label('app.show_live')} starts with a task.",
            f"{self.services.key_label('history.import_sessions')} imports {found}sessions of Claude Code's own.",
        ]

    def _show_card(self) -> None:
        pane = self.query_one("#detail", LogPane)
        pane.border_title, lines = self._seen.card(self.query_one("#list", ChoiceList).highlighted)
        pane.clear()
        pane.extend(lines)

    def on_choice_list_highlighted(self, message: ChoiceList.Highlighted) -> None:
        if self.pages.listing.opened is None:
            self._show_card()
            self.pages.read_on(message.key)

    def on_choice_list_picked(self, message: ChoiceList.Picked) -> None:
        self._list_keys.action_open_item()

    # -- what the keys are about ---------------------------------------------------------------

    def subject(self) -> Selection | None:
        """The session or attempt under the cursor."""
        return self.pages.listing.subject(self.query_one("#list", ChoiceList).highlighted)

    def search(self, line: str) -> None:
        """Show what a line finds, for the navigator."""
        self.pages.search(line)

    def search_for(self, line: str) -> None:
        """Show what a line finds, and let the person go on writing it."""
        self.pages.search(line)
        self._search_keys.open(line)


class ListKeys(ScreenPart):
    """Goes down into a session or an attempt, and up again."""

    def __init__(self, screen: ObraScreen, pages: HistoryPages, subject: Callable[[], Selection | None]) -> None:
        self._screen = screen
        self._pages = pages
        self._subject = subject

    def action_open_item(self) -> None:
        subject = self._subject()
        if subject is not None and subject.attempt is not None:
            self._screen.services.navigator.open_attempt(subject.attempt)
        elif subject is not None and self._pages.listing.opened is None:
            self._pages.open_session(subject.session)

    def action_go_up(self) -> None:
        opened = self._pages.listing.opened
        if opened is not None:
            self._pages.close_session()
            self._screen.query_one("#list", ChoiceList).highlight(opened.summary.id)
            self._pages.load()
        elif self._pages.line:
            self._pages.search("")
        else:
            self._screen.services.navigator.show("live")

    def action_reload(self) -> None:
        self._pages.load()

    def action_replay(self) -> None:
        subject = self._subject()
        if subject is not None:
            self._screen.services.navigator.replay(subject.session)

    def action_import_sessions(self) -> None:
        from obra_tui.ui.screens.history.import_dialog import ImportDialog

        self._screen.app.push_screen(ImportDialog(), lambda changed: self._pages.load() if changed else None)


class MarkKeys(ScreenPart):
    """Marks rows to compare them; two are compared, and both are attempts or both sessions."""

    def __init__(
        self, screen: ObraScreen, subject: Callable[[], Selection | None], on_marked: Callable[[], None]
    ) -> None:
        self._screen = screen
        self._subject = subject
        self._on_marked = on_marked
        self.marked: tuple[Selection, ...] = ()

    def action_mark(self) -> None:
        subject = self._subject()
        if subject is None:
            return
        alike = tuple(item for item in self.marked if (item.attempt is None) == (subject.attempt is None))
        if subject in alike:
            self.marked = tuple(item for item in alike if item != subject)
        else:
            self.marked = older_first(*alike[-(MARKS - 1) :], subject)
        self._on_marked()

    def action_compare(self) -> None:
        """Compare the two that are marked, or the one that is marked with the one here."""
        here, services = self._subject(), self._screen.services
        sides = self.marked if len(self.marked) == MARKS else older_first(*self.marked, *((here,) if here else ()))
        if len({side.id for side in sides}) != MARKS:
            services.notify(f"Mark two rows with {services.key_label('history.mark')}.", problem=True)
        elif (sides[0].attempt is None) != (sides[1].attempt is None):
            services.notify("Two attempts are compared, or two sessions.", problem=True)
        else:
            self._compare(*sides)

    def _compare(self, a: Selection, b: Selection) -> None:
        if a.attempt is not None and b.attempt is not None:
            self._screen.services.navigator.compare_attempts(a.attempt, b.attempt)
        else:
            self._screen.services.navigator.compare_sessions(a.session, b.session)


def older_first(*subjects: Selection) -> tuple[Selection, ...]:
    """Return them in the order in which they were made, which their ids have: A is what came first."""
    return tuple(sorted(subjects, key=lambda subject: subject.id))
