"""What a person prepares for an answer: ticks, notes on findings, findings and comments of their own.

It waits when they leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from obra_tui.core.decisions import written_finding
from obra_tui.core.errors import ObraError
from obra_tui.core.model import Finding, FindingSource, Severity
from obra_tui.ui.screens.dialogs.questions import ask_text
from obra_tui.ui.screens.parts import ScreenPart
from obra_tui.ui.screens.review.answer_view import AnswerView
from obra_tui.ui.screens.review.comment_line import CommentLine, comments_of
from obra_tui.ui.screens.review.state import ReviewState
from obra_tui.ui.view.menus import Writing
from obra_tui.ui.view.review import GateReview
from obra_tui.ui.view.review_draft import ReviewDraft
from widgets.lists.checklist import Checklist


class DraftKeys(ScreenPart):
    """Changes the draft of the answer, and shows the findings as they are then."""

    def __init__(self, state: ReviewState, view: AnswerView) -> None:
        self._state = state
        self._view = view

    def check_action(self, action: str) -> bool | None:
        """Enter on a line of the diff is a comment; elsewhere it opens what it stands on."""
        if action == "find":
            return True
        if action == "comment" and not (self._state.screen.ready and self._state.panes.diff.patch.has_focus):
            return False
        return self._state.takes_answers

    # -- the draft -----------------------------------------------------------------------------

    def draw_findings(self, review: GateReview) -> None:
        draft, panes = self._state.draft, self._state.panes
        panes.evidence.show_findings(draft.findings(review.findings), draft)
        panes.diff.set_comments(comments_of(draft.own))

    def take_ticks(self, ticked: Sequence[str]) -> None:
        """The list shows these ticks now."""
        if self._state.latest is not None:
            known = tuple(self._state.draft.findings(self._state.latest.findings))
            self._redraft(self._state.draft.with_ticks(known, ticked))

    def take_comment(self, path: str, line: int, text: str) -> None:
        """The person said this of a line; an empty text takes back what they had said."""
        said = Finding(severity=Severity.MAJOR, message=text, file=path, line=line, source=FindingSource.PERSON)
        self._redraft(self._state.draft.with_comment(said))

    def _redraft(self, draft: ReviewDraft) -> None:
        self._state.keep(draft)
        if self._state.latest is not None:
            self.draw_findings(self._state.latest)
            self._state.panes.fit()
        self._view.draw()

    # -- keys ----------------------------------------------------------------------------------

    def action_comment(self) -> None:
        line = self._state.screen.query_one(CommentLine)
        if not line.comment_on(self._state.panes.diff, self._state.draft.own):
            self._state.services.notify("There is no line of the new text here to comment on.")

    def action_open_file(self) -> None:
        """The file in front, at its line, in the copy; what is changed there is checked and judged as the person's."""
        place, review = self._state.panes.diff.place(), self._state.latest
        if place is not None and review is not None and review.task.copy_path:
            services = self._state.services
            services.takeover.open_file(review.task, *place, partial(services.commands.hand_back, self._state.gate))

    def action_find(self) -> None:
        self._state.screen.query_one(CommentLine).find_in(self._state.panes.diff)

    def action_note_finding(self) -> None:
        """Write what the person has to say about the finding under the cursor."""
        key = self._state.panes.query_one(Checklist).highlighted
        finding = self._state.draft.findings(self._state.latest.findings).get(key) if self._state.latest else None
        if finding is None:
            self._state.services.notify("There is no finding to note anything on.")
            return
        ask_text(
            self._state.screen.app,
            Writing(
                title="Note on a finding",
                explanation=f"{finding.place} {finding.message}".strip() + "\n\nYour note goes to Claude with it.",
                send_label="Keep it",
                text=finding.note,
                placeholder="Only in this function; an empty note takes it away.",
                may_be_empty=True,
            ),
            lambda text: self._redraft(self._state.draft.with_note(key, text)),
        )

    def action_add_finding(self) -> None:
        """Write a finding of one's own, at the line of the diff where one is."""
        diff = self._state.latest.attempt.diff if self._state.latest else None
        files = tuple(change.path for change in diff.files) if diff else ()
        ask_text(
            self._state.screen.app,
            Writing(
                title="A finding of your own",
                explanation="The first line says where and how grave: blocker, major, minor or info. "
                "Then what is wrong. It goes to Claude word for word.",
                send_label="Add it",
                text=f"{self._here()} major\n".lstrip(),
                at_end=True,
            ),
            lambda text: self._add(written_finding(text, files)),
            lambda text: _refusal_of(text, files),
        )

    def _here(self) -> str:
        """Where the person is in the diff, as far as there is a place."""
        path, line = self._state.panes.diff.place() or ("", 0)
        return f"{path}:{line}" if line else path

    def _add(self, finding: Finding) -> None:
        self._redraft(self._state.draft.with_finding(finding))
        self._state.panes.turn_to("#findings")
        checklist = self._state.panes.query_one(Checklist)
        checklist.highlight(f"own{len(self._state.draft.own) - 1}|{finding.fingerprint}")


def _refusal_of(text: str, files: Sequence[str]) -> str:
    try:
        written_finding(text, files)
    except ObraError as refused:
        return str(refused)
    return ""
