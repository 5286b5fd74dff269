"""What a person prepares for an answer: ticks, notes on findings, findings of their own. It waits when they leave."""

from __future__ import annotations

from collections.abc import Sequence

from obra_tui.core.decisions import written_finding
from obra_tui.core.errors import ObraError
from obra_tui.core.ids import GateId
from obra_tui.core.model import Finding
from obra_tui.ui.screens.review.answers import AnsweringScreen
from obra_tui.ui.screens.review.diff import ReviewDiff
from obra_tui.ui.view.menus import Writing
from obra_tui.ui.view.review_draft import ReviewDraft
from widgets.lists.checklist import Checklist


class DraftingScreen(AnsweringScreen):
    """Keeps the draft of the gate's answer with the services."""

    def __init__(self, gate: GateId) -> None:
        super().__init__(gate)
        self._draft = ReviewDraft()

    def draft_changed(self) -> None:
        """Show the findings as they are now."""

    def turn_to(self, name: str) -> None:
        """Give a list its turn where there is room for one only."""

    def chosen(self) -> tuple[Finding, ...]:
        """As the list shows them now: word of a tick may still be on its way when the next key is pressed."""
        ticked = frozenset(self.query_one(Checklist).checked)
        found = self._draft.findings(self._review.findings) if self._review else {}
        return tuple(item for key, item in found.items() if key in ticked)

    def _keep(self, draft: ReviewDraft) -> None:
        self._draft = draft
        self.services.drafts[self._gate] = draft

    def _redraft(self, draft: ReviewDraft) -> None:
        self._keep(draft)
        self.draft_changed()

    def on_checklist_chosen(self, message: Checklist.Chosen) -> None:
        if self._review is not None and self.query(Checklist):
            known = tuple(self._draft.findings(self._review.findings))
            self._redraft(self._draft.with_ticks(known, message.keys))

    def action_note_finding(self) -> None:
        """Write what the person has to say about the finding under the cursor."""
        key = self.query_one(Checklist).highlighted
        finding = self._draft.findings(self._review.findings).get(key) if self._review else None
        if finding is None:
            self.services.notify("There is no finding to note anything on.")
            return
        self.write(
            Writing(
                title="Note on a finding",
                explanation=f"{finding.place} {finding.message}".strip() + "\n\nYour note goes to Claude with it.",
                send_label="Keep it",
                text=finding.note,
                placeholder="Only in this function; an empty note takes it away.",
                may_be_empty=True,
            ),
            lambda text: self._redraft(self._draft.with_note(key, text)),
        )

    def action_add_finding(self) -> None:
        """Write a finding of one's own, at the line of the diff where one is."""
        diff = self._review.attempt.diff if self._review else None
        files = tuple(change.path for change in diff.files) if diff else ()
        self.write(
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
        path, line = self.query_one(ReviewDiff).place() or ("", 0)
        return f"{path}:{line}" if line else path

    def _add(self, finding: Finding) -> None:
        self._redraft(self._draft.with_finding(finding))
        self.turn_to("#findings")
        checklist = self.query_one(Checklist)
        checklist.highlight(f"own{len(self._draft.own) - 1}|{finding.fingerprint}")

    def answered(self) -> None:
        self.services.drafts.pop(self._gate, None)


def _refusal_of(text: str, files: Sequence[str]) -> str:
    try:
        written_finding(text, files)
    except ObraError as refused:
        return str(refused)
    return ""
