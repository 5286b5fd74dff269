"""The keys that act on a session or an attempt, the same on every screen whose cursor stands on one.

What they need from disk runs in worker threads, through the role `Archive`. A text to copy is made when chosen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from textual.screen import ModalScreen

from obra_tui.core.plain import to_builtins
from obra_tui.core.records.history import AttemptDetail, SessionDetail
from obra_tui.core.records.similar import similar
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.dialogs.questions import ChoiceDialog
from obra_tui.ui.screens.history.listing import Labels, Selection
from obra_tui.ui.screens.history.rows import PINNED
from obra_tui.ui.screens.history_query import with_archive, with_history
from obra_tui.ui.screens.parts import ScreenPart
from obra_tui.ui.view.format import plural
from obra_tui.ui.view.menus import Choice

if TYPE_CHECKING:
    from obra_tui.core.records.history import History
    from obra_tui.ui.ports import Archive


class Copy(Struct, frozen=True, kw_only=True):
    choice: Choice
    text: Callable[[], str]
    what: str = ""
    """Names a text that is too long to be shown."""


def attempt_copies(detail: AttemptDetail) -> list[Copy]:
    """Return what an attempt has to copy; what it lacks is left out."""
    found = [_short("id", "Id", str(detail.summary.id))]
    if detail.conversations:
        found.append(_short("resume", "Resume command", f"claude --resume {detail.conversations[-1].id}"))
    if detail.diff and detail.diff.patch:
        patch = detail.diff.patch
        found.append(_long("diff", "Diff", patch, f"{plural(len(detail.diff.files), 'file')}, as git apply takes it"))
    if detail.prompts:
        text = "\n\n".join(prompt.text for prompt in detail.prompts)
        found.append(_long("prompt", "Prompt", text, plural(len(text.splitlines()), "line")))
    return [*found, _json(detail, "All that is known of the attempt but its transcript")]


def session_copies(detail: SessionDetail) -> list[Copy]:
    return [
        _short("id", "Id", str(detail.summary.id)),
        _short("branch", "Branch", detail.branch),
        _json(detail, "The session with its tasks and attempts"),
    ]


def _short(name: str, label: str, text: str) -> Copy:
    return Copy(choice=Choice(id=name, label=label, effect=text or "–"), text=lambda: text)


def _long(name: str, label: str, text: str, effect: str) -> Copy:
    return Copy(choice=Choice(id=name, label=label, effect=effect), text=lambda: text, what=f"the {label.lower()}")


def _json(detail: AttemptDetail | SessionDetail, effect: str) -> Copy:
    def text() -> str:
        return json.dumps(to_builtins(detail), indent=2)

    return Copy(choice=Choice(id="json", label="JSON", effect=effect), text=text, what="the JSON")


T = TypeVar("T")
NOWHERE = "There is nothing under the cursor."


class SessionKeys(ScreenPart):
    """Acts on the session or attempt under the cursor."""

    def __init__(
        self,
        screen: ObraScreen,
        subject: Callable[[], Selection | None],
        on_labels: Callable[[Labels], None],
        search_for: Callable[[str], None],
    ) -> None:
        """`on_labels` gets what sessions are labelled with now; `search_for` shows what a search line finds."""
        self._screen = screen
        self._subject_of = subject
        self._on_labels = on_labels
        self._search_for = search_for

    def _subject(self) -> Selection | None:
        found = self._subject_of()
        if found is None:
            self._screen.services.notify(NOWHERE, problem=True)
        return found

    def _put_question(self, dialog: ModalScreen[T], answered: Callable[[T | None], None]) -> None:
        """Ask, unless another question came first while this one was being prepared."""
        if self._screen.is_current:
            self._screen.app.push_screen(dialog, answered)

    # -- pins and tags -------------------------------------------------------------------------

    def action_pin(self) -> None:
        """Pin the session, or let it go again."""
        subject = self._subject()
        if subject is not None:
            with_archive(self._screen, partial(_turn_pin, subject=subject), self._pinned)

    def _pinned(self, answer: tuple[bool, Labels]) -> None:
        pinned, labels = answer
        self._screen.services.notify("Pinned: it is never pruned." if pinned else "No longer pinned.")
        self._on_labels(labels)

    def action_tag(self) -> None:
        subject = self._subject()
        if subject is not None:
            with_archive(self._screen, lambda archive: archive.labels(), partial(self._ask_tags, subject))

    def _ask_tags(self, subject: Selection, labels: Labels) -> None:
        from obra_tui.ui.screens.history.tag_dialog import TagDialog

        known = sorted({name for names in labels.values() for name in names} - {PINNED})
        present = [name for name in labels.get(subject.session, ()) if name != PINNED]

        def answered(wanted: tuple[str, ...] | None) -> None:
            if wanted is not None:
                change = partial(_set_tags, session=subject, before=present, wanted=wanted)
                with_archive(self._screen, change, self._on_labels)

        self._put_question(TagDialog(subject.name, present, known), answered)

    # -- out -----------------------------------------------------------------------------------

    def action_copy(self) -> None:
        """Ask what of it to copy."""
        subject = self._subject()
        if subject is not None:
            with_history(self._screen, partial(_copies, subject=subject), partial(self._ask_copy, subject))

    def _ask_copy(self, subject: Selection, copies: Sequence[Copy]) -> None:
        by_id = {copy.choice.id: copy for copy in copies}

        def answered(answer: str | None) -> None:
            copy = by_id.get(answer or "")
            if copy is not None:
                self._screen.services.copy(copy.text(), copy.what)

        choices = [copy.choice for copy in copies]
        self._put_question(ChoiceDialog(f"Copy of {subject.name}", choices, first="id"), answered)

    def action_export(self) -> None:
        from obra_tui.ui.screens.history.export_dialog import ExportDialog

        subject = self._subject()
        if subject is not None:
            self._screen.app.push_screen(ExportDialog(subject))

    # -- more like it --------------------------------------------------------------------------

    def action_more_like(self) -> None:
        """Ask in which way alike, and put the search into the search line."""
        subject = self._subject()
        if subject is not None:
            with_history(self._screen, partial(_alike, subject=subject), self._ask_alike)

    def _ask_alike(self, choices: Sequence[Choice]) -> None:
        if not choices:
            self._screen.services.notify("Nothing was tried here, so nothing is like it.", problem=True)
            return

        def answered(line: str | None) -> None:
            if line:
                self._search_for(line)

        self._put_question(ChoiceDialog("More like this", choices, first=choices[0].id), answered)


# --- in worker threads ---------------------------------------------------------------------------


def _turn_pin(archive: Archive, subject: Selection) -> tuple[bool, Labels]:
    pinned = PINNED in archive.labels().get(subject.session, ())
    archive.label(subject.session, PINNED, remove=pinned)
    return not pinned, archive.labels()


def _set_tags(archive: Archive, session: Selection, before: Sequence[str], wanted: Sequence[str]) -> Labels:
    for name in (name for name in before if name not in wanted):
        archive.label(session.session, name, remove=True)
    for name in (name for name in wanted if name not in before):
        archive.label(session.session, name)
    return archive.labels()


def _copies(history: History, subject: Selection) -> list[Copy]:
    if subject.attempt is not None:
        return attempt_copies(history.attempt(subject.attempt))
    return session_copies(history.session(subject.session))


def _alike(history: History, subject: Selection) -> list[Choice]:
    """Return the ways to be alike; the id of each is its search line. A session is like its last attempt."""
    attempt = subject.attempt
    if attempt is None:
        attempts = history.session(subject.session).attempts
        attempt = attempts[-1].id if attempts else None
    if attempt is None:
        return []
    return [Choice(id=line, label=name, effect=line) for name, line in similar(history.attempt(attempt))]
