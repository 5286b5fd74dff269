"""Gate review: the evidence, the diff, and three answers with their consequences.

Opens only because a person asked for it, takes no key before there was silence,
and sends a decision bound to exactly the content it showed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.events import Resize

from obra_tui.core.events import Record
from obra_tui.core.ids import AttemptId, GateId
from obra_tui.core.model import Finding, FindingSource, Severity
from obra_tui.ui.bindings import bindings
from obra_tui.ui.screens.dialogs.output import OutputDialog
from obra_tui.ui.screens.review.comment_line import CommentLine, comments_of
from obra_tui.ui.screens.review.diff import ReviewDiff
from obra_tui.ui.screens.review.draft import DraftingScreen
from obra_tui.ui.screens.review.evidence import EvidencePane
from obra_tui.ui.view import review as model
from obra_tui.ui.view.menus import Writing
from obra_tui.ui.view.review import GateReview, Inspection, answer_note, answered_rows
from obra_tui.ui.view.review_draft import ReviewDraft
from obra_tui.ui.view.scores import ScoreVisibility, hurried, own_score, score_visibility
from obra_tui.ui.view.status_words import Tone
from obra_tui.ui.view.statusline import StatusPart
from widgets.bars.decision_bar import AnswerOption, DecisionBar
from widgets.bars.status_line import Banner
from widgets.diff.file_list import FileList
from widgets.key_guard import Arming
from widgets.lists.checklist import Checklist
from widgets.log_view.view import LogPane

PANES = ("#checks", "#findings", "#files", "#diff")
SHORT_ROWS = 30
"""Terminals with fewer rows have no room for the legend of the answers."""


class ReviewScreen(DraftingScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("review")
    ARMED_FOCUS = "#checks"

    def __init__(self, gate: GateId) -> None:
        super().__init__(gate)
        self._opened_at = 0.0
        self._hurried = False
        self._visibility = ScoreVisibility.SHOWN

    def make_arming(self) -> Arming:
        return Arming(self.services.launch.review_grace_s, self.services.clock.monotonic)

    def compose_body(self) -> ComposeResult:
        yield Banner(id="banner")
        with Horizontal(id="review"):
            yield EvidencePane(id="evidence")
            yield ReviewDiff(id="diff")
        yield CommentLine(id="message")
        yield DecisionBar(id="answers")

    def on_mount(self) -> None:
        self._opened_at = self.services.clock.now()
        self._draft = self.services.drafts.get(self._gate, ReviewDraft())
        backend = self.services.backend
        friction = backend is None or backend.friction
        self._hurried = friction and hurried(self.services.view, self.services.launch.person)
        self._load()

    def on_unmount(self) -> None:
        if self._gate in self.services.drafts:
            self._keep(replace(self._draft, open_s=self._open_s))

    @property
    def gate_shown(self) -> GateId:
        return self._gate

    @property
    def _diff(self) -> ReviewDiff:
        return self.query_one(ReviewDiff)

    @property
    def _evidence(self) -> EvidencePane:
        return self.query_one(EvidencePane)

    # -- drawing -------------------------------------------------------------------------------

    def _load(self) -> None:
        self._review = model.review_of(self.services.view, self._gate)

    def draw(self, records: Sequence[Record]) -> None:
        self._load()
        if self._review is None:
            self.show_status(StatusPart(text="GATE"), StatusPart(text="this gate is no longer waiting"))
            return
        if self._drawn is None or _changed(self._drawn, self._review):
            self._draw_all(self._review)
        self._drawn = self._review
        self._draw_answers()
        self.tick()

    def tick(self) -> None:
        review = self._review
        if review is None:
            return
        session = review.session
        of = f" of {session.max_attempts}" if review.attempt.number <= session.max_attempts else ""
        place = f"gate {review.number} of {review.waiting}" if review.open else "answered"
        self.show_status(
            StatusPart(text="GATE", tone=Tone.ASK, strong=True),
            StatusPart(text=f"{review.task.spec.key} {review.task.spec.title}", strong=True, shrinks=True),
            StatusPart(text=f"attempt {review.attempt.number}{of}"),
            StatusPart(text=place),
            StatusPart(text=f"waiting {model.waiting_for(review, self.services.clock.now())}" if review.open else ""),
            StatusPart(text="blind" if self.services.blind else "", tone=Tone.WARN),
        )

    def _draw_all(self, review: GateReview) -> None:
        self._visibility = self._visibility_now()
        self._evidence.show_facts(review, self._visibility)
        self._draw_findings(review)
        self._diff.show_review(review, self._draft.marks)
        self._draw_files()

    def _draw_findings(self, review: GateReview) -> None:
        self._evidence.show_findings(self._draft.findings(review.findings), self._draft)
        self._diff.set_comments(comments_of(self._draft.own))

    def draft_changed(self) -> None:
        if self._review is not None:
            self._draw_findings(self._review)
        self._draw_answers()

    def action_comment(self) -> None:
        if not self.query_one(CommentLine).comment_on(self._diff, self._draft.own):
            self.services.notify("There is no line of the new text here to comment on.")

    def action_open_file(self) -> None:
        """The file in front, at its line, in the copy; what is changed there is checked and judged as the person's."""
        place, review = self._diff.place(), self._review
        if place is not None and review is not None and review.task.copy_path:
            hand_back = partial(self.services.commands.hand_back, self.gate_shown)
            self.services.takeover.open_file(review.task, *place, hand_back)

    def action_find(self) -> None:
        self.query_one(CommentLine).find_in(self._diff)

    def on_comment_line_written(self, message: CommentLine.Written) -> None:
        said = Finding(
            severity=Severity.MAJOR,
            message=message.text,
            file=message.path,
            line=message.line,
            source=FindingSource.PERSON,
        )
        self._redraft(self._draft.with_comment(said))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enter on a line of the diff is a comment; elsewhere it opens what it stands on."""
        if action == "comment":
            return self.ready and self._diff.patch.has_focus and super().check_action(action, parameters)
        return super().check_action(action, parameters)

    def _draw_files(self) -> None:
        self._evidence.show_files(self._diff.changes, self._diff.seen, narrow=self.has_class("-narrow"))

    def _draw_answers(self) -> None:
        bar = self.query_one(DecisionBar)
        bar.short = self.size.height < SHORT_ROWS
        bar.display = not bar.short or bool(self._asked_twice)
        if self._review is not None:
            bar.show(self._answers(self._review))
        self.draw_note()

    def _answers(self, review: GateReview) -> list[AnswerOption]:
        effects = model.effects(review, len(self.chosen()))
        against = self.against(review) if self._visibility is ScoreVisibility.SHOWN else ()
        approve = f"{effects.approve} (asks for a reason: {len(against)} against it)" if against else effects.approve
        rows: tuple[tuple[str, str, str], ...] = (
            ("review.approve", "Approve", approve),
            ("review.request_changes", "Request changes", effects.changes),
            ("review.reject", "Reject", effects.reject),
            ("review.later", "Later", effects.later),
        )
        rows = rows if review.open else answered_rows(review)
        return [AnswerOption(self.services.key_label(key_id), label, effect) for key_id, label, effect in rows]

    def draw_note(self) -> None:
        banner = self.query_one(Banner)
        text = self._refusal or (answer_note(self._review, self.services.key_label) if self._review else "")
        if text:
            banner.show(text, state="warn" if self._refusal else "held")
        else:
            banner.clear()

    def on_armed_changed(self, armed: bool) -> None:
        if self.ready:
            self.query_one(DecisionBar).armed = armed

    def on_resize(self, event: Resize) -> None:
        if self.ready:
            self._draw_answers()

    # -- the judge's number --------------------------------------------------------------------

    def _visibility_now(self) -> ScoreVisibility:
        blind = self.services.blind and self._review is not None and self._review.open
        read_on = self.ready and self._diff.read_on
        return score_visibility(blind=blind, own_score=self._draft.own_score, hurried=self._hurried, read_on=read_on)

    def _show_allowed(self) -> None:
        """Show what may be shown now."""
        now = self._visibility_now()
        if now is not self._visibility and self._drawn is not None:
            self._visibility = now
            self._evidence.show_facts(self._drawn, now)
            self._draw_answers()

    def action_blind(self) -> None:
        """Blind mode on; then the own score; then off again."""
        if not self.services.blind:
            self.services.blind = True
        elif self._draft.own_score is not None:
            self._end_blind()
        self.tick()
        self._show_allowed()
        self.with_own_score(lambda: None)

    def _end_blind(self) -> None:
        self.services.blind = False
        self.services.notify("Blind mode is off: the judge's number is shown at once.")
        self.tick()
        self._show_allowed()

    def with_own_score(self, then: Callable[[], None]) -> None:
        if self._visibility is not ScoreVisibility.AFTER_OWN_SCORE:
            then()
            return

        def scored(text: str) -> None:
            if not text.strip():
                self._end_blind()
                return
            self._keep(replace(self._draft, own_score=own_score(text)))
            self._show_allowed()
            self.services.notify("The judge's number is shown now; your answer is still to give.")

        self.write(
            Writing(
                title="Your own score",
                explanation="How good is this work, from 0 to 1? Then the judge's number is shown; both are stored. "
                "With nothing written blind mode ends.",
                send_label="Give it",
                placeholder="0.8",
                may_be_empty=True,
            ),
            scored,
            lambda text: (
                "" if not text.strip() or own_score(text) is not None else "Write a number from 0 to 1, such as 0.75."
            ),
        )

    # -- what was looked at --------------------------------------------------------------------

    @property
    def _there(self) -> bool:
        """The panes are taken away before the screen: their last messages may come after them."""
        return self.ready and bool(self.query(ReviewDiff)) and bool(self.query(EvidencePane))

    def on_review_diff_looked(self) -> None:
        if not self._there:
            return
        self._keep(replace(self._draft, marks=self._diff.marks))
        self._show_allowed()
        self._draw_files()
        if self._drawn is not None:
            self._draw_answers()

    def on_review_diff_base_changed(self) -> None:
        if self._there:
            self._draw_files()

    def on_diff_pane_shown(self, message: ReviewDiff.Shown) -> None:
        if self._there:
            self.query_one(FileList).highlight(message.path)

    def on_file_list_chosen(self, message: FileList.Chosen) -> None:
        self._diff.turn()
        self._diff.show_file(message.path)

    def on_checklist_jump(self, message: Checklist.Jump) -> None:
        self._diff.turn()
        if message.path and not self._diff.jump(message.path, message.line):
            self.services.notify(f"{message.path} is not in the diff that is shown.")

    def on_evidence_pane_check_opened(self, message: EvidencePane.CheckOpened) -> None:
        checks = self._review.attempt.checks if self._review else ()
        result = next((check.result for check in checks if check.name == message.name), None)
        if result is not None:
            self.app.push_screen(OutputDialog(result))

    def on_evidence_pane_attempt_opened(self, message: EvidencePane.AttemptOpened) -> None:
        self.services.navigator.open_attempt(AttemptId(message.attempt), "Diff")

    def against(self, review: GateReview) -> tuple[str, ...]:
        return model.overridden(review, self._diff.opened)

    def looked(self) -> Inspection:
        return Inspection(open_s=self._open_s, files=tuple(sorted(self._diff.read)), own_score=self._draft.own_score)

    @property
    def _open_s(self) -> float:
        return self._draft.open_s + self.services.clock.now() - self._opened_at

    # -- movement ------------------------------------------------------------------------------

    def action_base(self) -> None:
        self._diff.switch_base()

    def action_next_file(self) -> None:
        self._diff.next_file()

    def action_previous_file(self) -> None:
        self._diff.previous_file()

    def action_next_hunk(self) -> None:
        self._diff.next_hunk()

    def action_previous_hunk(self) -> None:
        self._diff.previous_hunk()

    def action_split(self) -> None:
        self._diff.action_split()

    def action_wrap(self) -> None:
        for pane in self.query(LogPane):
            if pane.has_focus:
                pane.scroller.toggle_wrap()

    def action_next_pane(self) -> None:
        self._step_pane(1)

    def action_previous_pane(self) -> None:
        self._step_pane(-1)

    def _step_pane(self, step: int) -> None:
        """In a narrow terminal only one of the lists is there: the one that has its turn."""
        panes = [name for name in PANES if name != "#findings" or not self.query_one(name).has_class("-empty")]
        here = next((i for i, name in enumerate(panes) if self.query_one(name).has_focus_within), 0)
        name = panes[(here + step) % len(panes)]
        self.turn_to(name)
        target = self.query_one(name)
        if target.focusable:
            self.set_focus(target)  # at once: the next key may have been typed already
        else:
            self.call_after_refresh(self._focus_inside, name)

    def turn_to(self, name: str) -> None:
        for other in PANES:
            self.query_one(other).set_class(other == name, "-turn")
        self.set_class(name == "#diff", "-reading")

    def _focus_inside(self, name: str) -> None:
        for node in self.query_one(name).query("*"):
            if node.focusable:
                self.set_focus(node)
                return

    def action_reload(self) -> None:
        self._drawn, self._refusal = None, ""
        self.draw(())


def _changed(before: GateReview, after: GateReview) -> bool:
    return (before.gate.binding, before.attempt.diff, before.attempt.quality) != (
        after.gate.binding,
        after.attempt.diff,
        after.attempt.quality,
    )
