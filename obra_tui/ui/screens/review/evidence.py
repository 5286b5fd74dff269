"""The left column of a gate: facts, checks with verdict and earlier attempts, findings to tick, changed files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from obra_tui.core.model import CheckResult, CheckStatus, FileChange, Finding, FindingSource
from obra_tui.core.records.attempt_words import person_name
from obra_tui.ui.feeds.lines import heading
from obra_tui.ui.feeds.validation import finished_check, verdict_lines
from obra_tui.ui.screens.base import is_small
from obra_tui.ui.screens.review.fact_box import FactBox
from obra_tui.ui.services import services_of
from obra_tui.ui.view import review as model
from obra_tui.ui.view.diff_view import changed_file
from obra_tui.ui.view.format import plural, score
from obra_tui.ui.view.review import EarlierAttempt, FactDepth, GateReview
from obra_tui.ui.view.review_draft import ReviewDraft
from obra_tui.ui.view.scores import ScoreVisibility
from obra_tui.ui.view.status_words import DECISION
from widgets.bars.tab_strip import TabStrip
from widgets.diff.file_list import FileList
from widgets.lines import LogLine
from widgets.lists.checklist import Checklist, ChecklistItem
from widgets.log_view.view import LogPane

MOST_FILE_ROWS = 6
ASKED_ROWS = 4
"""Lines of the task that are shown before the rest has to be unfolded."""
_CHECK, _ATTEMPT = "check:", "attempt:"


class EvidencePane(Vertical):
    """What the work is judged by."""

    class CheckOpened(Message):
        """The output of a check is wanted."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class AttemptOpened(Message):
        """An earlier attempt is wanted."""

        def __init__(self, attempt: str) -> None:
            super().__init__()
            self.attempt = attempt

    _facts_of: tuple[GateReview, ScoreVisibility] | None = None
    _all_facts = False

    def compose(self) -> ComposeResult:
        with Vertical(id="facts-box"):
            yield FactBox(id="facts")
        yield TabStrip(id="turns")
        yield LogPane(id="checks", follow=False)
        yield Checklist(id="findings")
        yield FileList(id="files")

    def on_mount(self) -> None:
        box = self.query_one("#facts-box")
        box.border_title = "Facts, measured by Obra"
        box.border_subtitle = f"{services_of(self.app).key_label('review.all_facts')} all facts"
        checks = self.query_one("#checks", LogPane)
        checks.border_title = "Checks and verdict"
        checks.set_hint("enter opens the whole output")
        key = services_of(self.app).key_label
        note, add = key("review.note_finding"), key("review.add_finding")
        self.query_one(Checklist).set_hint(f"space ticks · {note} note · {add} add")
        self.query_one(FileList).set_hint(
            f"{key('review.next_file')} {key('review.previous_file')} file · "
            f"{key('review.next_hunk')} {key('review.previous_hunk')} hunk"
        )

    # -- showing -------------------------------------------------------------------------------

    def show_facts(self, review: GateReview, visibility: ScoreVisibility) -> None:
        """Show the box and the lines of the evidence; a cursor in them stays where it is."""
        self._facts_of = (review, visibility)
        self.draw_facts()
        pane = self.query_one("#checks", LogPane)
        key, top = pane.cursor_key, pane.shown_range.start
        pane.clear()
        lines = evidence_lines(review, visibility)
        pane.extend(lines)
        if not (key and pane.goto(key)):
            first = next((line.key for line in lines if line.key), "")
            self.call_after_refresh(pane.goto, first) if first and not top else pane.show_index(top, context=0)

    def draw_facts(self) -> None:
        """Show as much of the facts as there is room for, or all that the person wants."""
        if self._facts_of is None:
            return
        depth = FactDepth.ALL if self._all_facts else FactDepth.BRIEF if is_small(self.app.size) else FactDepth.USUAL
        self.query_one(FactBox).show(model.facts(*self._facts_of, depth))

    def toggle_facts(self) -> None:
        """All facts, also those that a decision is bound to; or as many as before."""
        self._all_facts = not self._all_facts
        self.draw_facts()

    def show_findings(self, findings: Mapping[str, Finding], draft: ReviewDraft) -> None:
        """Show what was found, with the ticks and notes of the draft."""
        pane = self.query_one(Checklist)
        ticked = tuple(key for key, item in findings.items() if draft.is_ticked(key, item))
        pane.show([_tick(key, item) for key, item in findings.items()], ticked=ticked)
        pane.set_class(not findings, "-empty")
        count = f"{len(ticked)} of {plural(len(findings), 'finding')} ticked" if findings else "Findings"
        pane.border_title = count

    def show_files(self, changes: Sequence[FileChange], seen: frozenset[str], *, narrow: bool) -> None:
        """Show the files of the diff that is on screen."""
        files = self.query_one(FileList)
        files.show([changed_file(change, seen=change.path in seen) for change in changes])
        files.border_title = f"Files {len(changes)} · {len(seen)} read"
        files.styles.height = None if narrow else min(len(changes), MOST_FILE_ROWS) + 2

    # -- what a person does --------------------------------------------------------------------

    def on_log_pane_opened(self, message: LogPane.Opened) -> None:
        if message.key.startswith(_CHECK):
            message.stop()
            self.post_message(self.CheckOpened(message.key.removeprefix(_CHECK)))
        elif message.key.startswith(_ATTEMPT):
            message.stop()
            self.post_message(self.AttemptOpened(message.key.removeprefix(_ATTEMPT)))


def evidence_lines(review: GateReview, visibility: ScoreVisibility = ScoreVisibility.SHOWN) -> list[LogLine]:
    """Return the attempts before, the checks (what failed first), the verdict, and where each number comes from."""
    verdict = review.attempt.judge.verdict if review.attempt.judge else None
    unjudged = verdict_lines(verdict) if verdict is not None and not verdict.complete else []
    lines = [*_earlier_lines(review.earlier), *_check_lines(review)]
    # That nobody judged it is what a person has to know before anything else.
    lines = [*unjudged, *lines, *_asked_lines(review)] if unjudged else [*_asked_lines(review), *lines]
    if verdict is not None and verdict.complete:
        hidden = visibility is ScoreVisibility.AFTER_OWN_SCORE
        lines.extend([_hidden("Verdict", visibility)] if hidden else verdict_lines(verdict, findings=False))
    quality = review.attempt.quality
    if quality is None:
        return lines
    if visibility is not ScoreVisibility.SHOWN:
        return [*lines, _hidden("Scores", visibility)]
    lines.append(heading("Scores", aside=f"needs {score(quality.threshold)}"))
    lines.extend(
        LogLine(
            f"{item.stage.value:<12} {score(quality.score_of(item.stage))}  {item.source}",
            style="output",
            hang=" " * 19,
        )
        for item in quality.provenance
    )
    lines.extend(LogLine(text, style="warn", glyph="!") for text in quality.obstacles)
    return lines


def _asked_lines(review: GateReview) -> Iterator[LogLine]:
    """What was asked comes first: work is judged by it. The rest of a long text unfolds."""
    spec = review.task.spec
    text = [line for line in spec.prompt.strip().splitlines() if line.strip()]
    yield heading(f"Asked: {spec.title}")
    if text:
        rest = tuple(LogLine(line, style="output", lead="  ") for line in text[ASKED_ROWS:])
        for line in text[: ASKED_ROWS - 1]:
            yield LogLine(line)
        if len(text) >= ASKED_ROWS:
            yield LogLine(text[ASKED_ROWS - 1], detail=rest)
    for criterion in spec.acceptance:
        yield LogLine(criterion, glyph="·", hang="  ")
    if not spec.acceptance:
        yield LogLine("No acceptance criteria.", style="dim")


def _hidden(what: str, visibility: ScoreVisibility) -> LogLine:
    return LogLine(f"{what}: {visibility.value}", style="dim", glyph="–")


def _earlier_lines(earlier: Sequence[EarlierAttempt]) -> Iterator[LogLine]:
    if earlier:
        yield heading("Attempts before this one", aside="enter opens")
    for item in earlier:
        attempt, decision = item.attempt, item.decision
        line = attempt.quality.line if attempt.quality else "no score"
        what = "sent back by the gate"
        if decision is not None:
            what = f"{DECISION[decision.kind].word} by {person_name(decision.by)}"
        note = f": {' '.join(decision.note.split())}" if decision is not None and decision.note.strip() else ""
        yield LogLine(
            f"attempt {attempt.number}  {line}  {what}{note}", key=f"{_ATTEMPT}{attempt.id}", glyph="·", hang=" " * 11
        )


def _check_lines(review: GateReview) -> Iterator[LogLine]:
    yield heading("Checks, run by Obra")
    results = [check.result for check in review.attempt.checks if check.result is not None]
    for result in sorted(results, key=lambda result: result.status is CheckStatus.PASSED):
        yield from _check(result)
    if not results:
        yield LogLine("No check was run.", style="warn", glyph="!")


def _check(result: CheckResult) -> Iterator[LogLine]:
    """What failed shows its end at once; all of it, and the command, opens with Enter."""
    card = finished_check(result)
    yield replace(card, detail=(), unfolded=False, key=f"{_CHECK}{result.spec.name}")
    if result.status is not CheckStatus.PASSED:
        yield from (replace(line, lead=f"  {line.lead}") for line in card.detail[1:])


def _tick(key: str, finding: Finding) -> ChecklistItem:
    own = finding.source is FindingSource.PERSON
    return ChecklistItem(
        key,
        finding.message,
        severity=finding.severity.value,
        path=finding.file,
        line=finding.line or 0,
        source="you" if own else finding.source.value,
        note=finding.note,
    )
