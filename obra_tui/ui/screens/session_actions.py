"""The keys that do something with a session or an attempt, the same wherever one stands on it.

Mixed into screens that say what their cursor is on. What they need of the disk
happens in worker threads, through the role `Archive`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from textual.screen import ModalScreen

from obra_tui.core.errors import ObraError
from obra_tui.core.records.similar import similar
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.dialogs import ChoiceDialog
from obra_tui.ui.screens.history_list import Labels, Subject
from obra_tui.ui.screens.history_rows import PINNED
from obra_tui.ui.view.clipboard import Copy, attempt_copies, session_copies
from obra_tui.ui.view.menus import Choice

if TYPE_CHECKING:
    from obra_tui.core.records.history import History
    from obra_tui.ui.ports import Archive

T = TypeVar("T")
NOWHERE = "There is nothing under the cursor."


class SubjectKeys(ObraScreen):
    """A screen whose cursor is on a session or an attempt."""

    def subject(self) -> Subject | None:
        """Override: what the keys are about."""
        return None

    def labels_changed(self, labels: Labels) -> None:
        """Override: what sessions are labelled with now."""

    def search_for(self, line: str) -> None:
        """Override: show what a search line finds."""

    # -- threads -------------------------------------------------------------------------------

    def with_archive(self, work: Callable[[Archive], T], take: Callable[[T], None]) -> None:
        """Do something with the archive in a worker thread; `take` gets the answer on the screen's thread."""
        archive = self.desk.backend.archive if self.desk.backend else None
        if archive is None:
            self.desk.tell("Obra is still starting; try again in a moment.", problem=True)
            return
        self._in_thread(lambda: work(archive), take)

    def put_question(self, dialog: ModalScreen[T], answered: Callable[[T | None], None]) -> None:
        """Ask, unless another question came first while this one was being prepared."""
        if self.is_current:
            self.app.push_screen(dialog, answered)

    def _with_history(self, work: Callable[[History], T], take: Callable[[T], None]) -> None:
        backend = self.desk.backend
        if backend is not None:
            self._in_thread(lambda: work(backend.history), take)

    def _in_thread(self, work: Callable[[], T], take: Callable[[T], None]) -> None:
        def run() -> None:
            try:
                answer = work()
            except ObraError as refused:
                self.desk.soon(partial(self.desk.tell, str(refused), problem=True))
            else:
                self.desk.soon(lambda: take(answer) if self.ready else None)

        self.run_worker(run, thread=True, exit_on_error=False, group="archive")

    def _subject(self) -> Subject | None:
        found = self.subject()
        if found is None:
            self.desk.tell(NOWHERE, problem=True)
        return found

    # -- pins and tags -------------------------------------------------------------------------

    def action_pin(self) -> None:
        """Pin the session, or let it go again."""
        subject = self._subject()
        if subject is not None:
            self.with_archive(partial(_turn_pin, subject=subject), self._pinned)

    def _pinned(self, answer: tuple[bool, Labels]) -> None:
        pinned, labels = answer
        self.desk.tell("Pinned: it is never pruned." if pinned else "No longer pinned.")
        self.labels_changed(labels)

    def action_tag(self) -> None:
        subject = self._subject()
        if subject is not None:
            self.with_archive(lambda archive: archive.labels(), partial(self._ask_tags, subject))

    def _ask_tags(self, subject: Subject, labels: Labels) -> None:
        from obra_tui.ui.screens.tag_dialog import TagDialog

        known = sorted({name for names in labels.values() for name in names} - {PINNED})
        present = [name for name in labels.get(subject.session, ()) if name != PINNED]

        def answered(wanted: tuple[str, ...] | None) -> None:
            if wanted is not None:
                change = partial(_set_tags, session=subject, before=present, wanted=wanted)
                self.with_archive(change, self.labels_changed)

        self.put_question(TagDialog(subject.name, present, known), answered)

    # -- out -----------------------------------------------------------------------------------

    def action_copy(self) -> None:
        """Ask what of it to copy."""
        subject = self._subject()
        if subject is not None:
            self._with_history(partial(_copies, subject=subject), partial(self._ask_copy, subject))

    def _ask_copy(self, subject: Subject, copies: Sequence[Copy]) -> None:
        by_id = {copy.choice.id: copy for copy in copies}

        def answered(answer: str | None) -> None:
            copy = by_id.get(answer or "")
            if copy is not None:
                self.desk.copy(copy.text(), copy.what)

        choices = [copy.choice for copy in copies]
        self.put_question(ChoiceDialog(f"Copy of {subject.name}", choices, first="id"), answered)

    def action_export(self) -> None:
        from obra_tui.ui.screens.export_dialog import ExportDialog

        subject = self._subject()
        if subject is not None:
            self.app.push_screen(ExportDialog(subject))

    # -- more like it --------------------------------------------------------------------------

    def action_more_like(self) -> None:
        """Ask in which way alike, and put the search into the search line."""
        subject = self._subject()
        if subject is not None:
            self._with_history(partial(_alike, subject=subject), self._ask_alike)

    def _ask_alike(self, choices: Sequence[Choice]) -> None:
        if not choices:
            self.desk.tell("Nothing was tried here, so nothing is like it.", problem=True)
            return

        def answered(line: str | None) -> None:
            if line:
                self.search_for(line)

        self.put_question(ChoiceDialog("More like this", choices, first=choices[0].id), answered)


# --- in worker threads ---------------------------------------------------------------------------


def _turn_pin(archive: Archive, subject: Subject) -> tuple[bool, Labels]:
    pinned = PINNED in archive.labels().get(subject.session, ())
    archive.label(subject.session, PINNED, remove=pinned)
    return not pinned, archive.labels()


def _set_tags(archive: Archive, session: Subject, before: Sequence[str], wanted: Sequence[str]) -> Labels:
    for name in (name for name in before if name not in wanted):
        archive.label(session.session, name, remove=True)
    for name in (name for name in wanted if name not in before):
        archive.label(session.session, name)
    return archive.labels()


def _copies(history: History, subject: Subject) -> list[Copy]:
    if subject.attempt is not None:
        return attempt_copies(history.attempt(subject.attempt))
    return session_copies(history.session(subject.session))


def _alike(history: History, subject: Subject) -> list[Choice]:
    """Return the ways to be alike; the id of each is its search line. A session is like its last attempt."""
    attempt = subject.attempt
    if attempt is None:
        attempts = history.session(subject.session).attempts
        attempt = attempts[-1].id if attempts else None
    if attempt is None:
        return []
    return [Choice(id=line, label=name, effect=line) for name, line in similar(history.attempt(attempt))]
