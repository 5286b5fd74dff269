"""Gate review: the evidence, the diff, and three answers with their consequences.

Opens only because a person asked for it, takes no key before there was silence,
and sends a decision bound to exactly the content it showed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from obra_tui.core.errors import GateDecided, ObraError, StaleDecision
from obra_tui.core.events import Record
from obra_tui.core.ids import GateId
from obra_tui.core.model import CheckStatus, DecisionKind, FileChange, Finding
from obra_tui.ui import review as model
from obra_tui.ui.bindings import bindings
from obra_tui.ui.feeds.validation import finished_check, verdict_lines
from obra_tui.ui.format import clock_time, score
from obra_tui.ui.review import Review
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.dialogs import WriteDialog, Writing
from obra_tui.ui.screens.fact_box import FactBox
from obra_tui.ui.screens.rail import LETTERS, changed_file
from obra_tui.ui.statusline import Part
from obra_tui.ui.words import DECISION, Tone, person_name
from widgets.armed import ArmedScreen, Arming
from widgets.banner import Banner
from widgets.checklist import Checklist
from widgets.checklist import Finding as Tick
from widgets.decision_bar import Answer, DecisionBar
from widgets.diff_pane import DiffPane
from widgets.file_list import FileList
from widgets.lines import LogLine
from widgets.log_pane import LogPane
from widgets.patch import FileDiff, split_patch

MOST_FILE_ROWS = 6
RICH_FILES = 40
"""Texts of so many files are read for the coloured view; the others show their patch."""
PANES = ("#checks", "#findings", "#files", "#diff")


class ReviewScreen(ArmedScreen, ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("review")
    ARMED_FOCUS = "#checks"

    def __init__(self, gate: GateId) -> None:
        super().__init__()
        self._gate = gate
        self._review: Review | None = None
        self._drawn: Review | None = None
        self._seen: set[str] = set()
        """Files whose end was on screen."""
        self._opened: set[str] = set()
        """Files that were on screen: looked at, though perhaps not to their end."""
        self._opened_at = 0.0
        self._asked_twice = ""
        self._moved = False
        self._sending = False
        self._refusal = ""
        self._split: bool | None = None
        """What the person chose; None = by width and file."""

    def make_arming(self) -> Arming:
        return Arming(self.desk.launch.review_grace_s, self.desk.clock.monotonic)

    def compose_body(self) -> ComposeResult:
        yield Banner(id="banner")
        with Horizontal(id="review"):
            with Vertical(id="evidence"):
                with Vertical(id="facts-box"):
                    yield FactBox(id="facts")
                yield LogPane(id="checks", follow=False)
                yield Checklist(id="findings")
                yield FileList(id="files")
            yield DiffPane(id="diff")
        yield DecisionBar(id="answers")

    def on_mount(self) -> None:
        self._opened_at = self.desk.clock.now()
        self.query_one("#facts-box").border_title = "Facts, measured by Obra"
        self.query_one("#checks").border_title = "Checks and verdict"
        self.query_one("#checks").add_class("-turn")
        self.query_one("#diff").border_title = "Diff"
        self._load()

    # -- drawing -------------------------------------------------------------------------------

    def _load(self) -> None:
        self._review = model.review_of(self.hub.view, self._gate)

    def draw(self, records: Sequence[Record]) -> None:
        self._load()
        if self._review is None:
            self.show_status(Part(text="GATE"), Part(text="this gate is not there any more"))
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
            Part(text="GATE", tone=Tone.ASK, strong=True),
            Part(text=f"{review.task.spec.key} {review.task.spec.title}", strong=True),
            Part(text=f"attempt {review.attempt.number}{of}"),
            Part(text=place),
            Part(text=f"waiting {model.waiting_for(review, self.desk.clock.now())}" if review.open else ""),
        )

    def _draw_all(self, review: Review) -> None:
        self.query_one(FactBox).show(model.facts(review))
        checks = self.query_one("#checks", LogPane)
        checks.clear()
        checks.extend(evidence_lines(review))
        ticks = [_tick(index, finding) for index, finding in enumerate(review.findings)]
        findings = self.query_one(Checklist)
        findings.show(ticks)
        findings.set_class(not ticks, "-empty")
        findings.border_title = f"Findings {len(ticks)} · space ticks"
        diff = review.attempt.diff
        changes = diff.files if diff else ()
        files = self.query_one(FileList)
        files.show([changed_file(change, seen=change.path in self._seen) for change in changes])
        files.border_title = f"Files {len(changes)}"
        files.styles.height = min(len(changes), MOST_FILE_ROWS) + 2 if not self.has_class("-narrow") else None
        self._show_diff(review, {})
        self._read_texts(review)

    def _show_diff(self, review: Review, texts: dict[str, tuple[str | None, str | None]]) -> None:
        diff = review.attempt.diff
        pane = self.query_one(DiffPane)
        files = file_diffs(diff.patch, diff.files, texts) if diff else []
        current = pane.current.path if pane.current else ""
        index = next((i for i, item in enumerate(files) if item.path == current), 0)
        pane.show(files, index=index)
        pane.set_split(self._splits(files[index] if files else None))

    def _draw_answers(self) -> None:
        bar = self.query_one(DecisionBar)
        bar.short = self.size.height < 30
        bar.display = not bar.short or bool(self._asked_twice)
        if self._review is not None:
            bar.show(self._answers(self._review))
        self._draw_note()

    def _answers(self, review: Review) -> list[Answer]:
        effects = model.effects(review, len(self._chosen()))
        against = model.overridden(review, frozenset(self._seen | self._opened))
        approve = f"{effects.approve} (asks for a reason: {len(against)} against it)" if against else effects.approve
        key = self.desk.key_shown
        why_not = "" if review.open else "answered"
        rows = (
            ("review.approve", "Approve", approve),
            ("review.request_changes", "Request changes", effects.changes),
            ("review.reject", "Reject", effects.reject),
            ("review.later", "Later", effects.later),
        )
        return [
            Answer(key(key_id), label, effect, enabled=review.open, why_not=why_not) for key_id, label, effect in rows
        ]

    def _draw_note(self) -> None:
        banner, review = self.query_one(Banner), self._review
        decided = review.gate.decision if review else None
        held = review.gate.held if review else None
        if self._refusal:
            banner.show(self._refusal, state="warn")
        elif held is not None:
            word, key = DECISION[held.decision.kind].word, self.desk.key_shown("app.undo")
            who, at = person_name(held.decision.by), clock_time(held.until)
            banner.show(f"Answered: {word} by {who}. {key} undoes it until {at}.", state="held")
        elif decided is not None:
            word = DECISION[decided.kind].word
            banner.show(f"This gate was answered: {word} by {person_name(decided.by)}.", state="held")
        else:
            banner.clear()

    def on_armed_changed(self, armed: bool) -> None:
        if self.ready:
            self.query_one(DecisionBar).armed = armed

    def on_resize(self) -> None:
        if self.ready:
            self._draw_answers()

    # -- the diff ------------------------------------------------------------------------------

    def _read_texts(self, review: Review) -> None:
        backend = self.desk.backend
        diff = review.attempt.diff
        if backend is None or diff is None or not diff.files:
            return
        paths = [change.path for change in diff.files if not change.binary][:RICH_FILES]

        def read() -> None:
            texts = {}
            for path in paths:
                try:
                    texts[path] = backend.reader.files_of(review.attempt.id, path)
                except ObraError:
                    continue  # the patch is on screen already; the coloured view is a comfort
            self.desk.soon(partial(self._take_texts, review, texts))

        self.run_worker(read, thread=True, exit_on_error=False, group="texts", exclusive=True)

    def _take_texts(self, review: Review, texts: dict[str, tuple[str | None, str | None]]) -> None:
        """Give the diff its coloured view, unless the person reads the patch already."""
        present = self._review
        if self.ready and not self._moved and texts and present and present.attempt.id == review.attempt.id:
            self._show_diff(review, texts)

    def on_diff_pane_seen(self, message: DiffPane.Seen) -> None:
        self._seen.add(message.path)
        self.query_one(FileList).mark_seen(message.path)
        self._draw_answers()

    def _splits(self, file: FileDiff | None) -> bool:
        """Two columns where there is room, but not for a file that has only one side."""
        if self._split is not None:
            return self._split
        return self.size.width >= 160 and (file is None or file.status not in "AD")

    def on_diff_pane_shown(self, message: DiffPane.Shown) -> None:
        message.pane.set_split(self._splits(message.pane.current))
        self._opened.add(message.path)
        self.query_one(FileList).highlight(message.path)
        self._draw_answers()

    def on_file_list_chosen(self, message: FileList.Chosen) -> None:
        self._moved = True
        self.query_one(DiffPane).show_file(message.path)

    def on_checklist_jump(self, message: Checklist.Jump) -> None:
        self._moved = True
        self.query_one(DiffPane).jump(message.path, message.line)

    def on_checklist_chosen(self, message: Checklist.Chosen) -> None:
        self._draw_answers()

    def _chosen(self) -> tuple[Finding, ...]:
        review = self._review
        if review is None:
            return ()
        keys = self.query_one(Checklist).checked
        return tuple(finding for index, finding in enumerate(review.findings) if str(index) in keys)

    # -- movement ------------------------------------------------------------------------------

    def action_next_file(self) -> None:
        self._moved = True
        self.query_one(DiffPane).next_file()

    def action_previous_file(self) -> None:
        self._moved = True
        self.query_one(DiffPane).previous_file()

    def action_next_hunk(self) -> None:
        self._moved = True
        self.query_one(DiffPane).next_hunk()

    def action_previous_hunk(self) -> None:
        self._moved = True
        self.query_one(DiffPane).previous_hunk()

    def action_split(self) -> None:
        pane = self.query_one(DiffPane)
        self._split = not self._splits(pane.current)
        pane.set_split(self._split)

    def action_wrap(self) -> None:
        for pane in self.query(LogPane):
            if pane.has_focus:
                pane.action_toggle_wrap()

    def action_next_pane(self) -> None:
        self._step_pane(1)

    def action_previous_pane(self) -> None:
        self._step_pane(-1)

    def _step_pane(self, step: int) -> None:
        """In a narrow terminal only one of the lists is there: the one that has its turn."""
        panes = [name for name in PANES if name != "#findings" or (self._review and self._review.findings)]
        here = next((i for i, name in enumerate(panes) if self.query_one(name).has_focus_within), 0)
        name = panes[(here + step) % len(panes)]
        for other in panes:
            self.query_one(other).set_class(other == name, "-turn")
        target = self.query_one(name)
        if target.focusable:
            target.focus()
        else:
            self.call_after_refresh(self._focus_inside, name)

    def _focus_inside(self, name: str) -> None:
        for node in self.query_one(name).query("*"):
            if node.focusable:
                node.focus()
                return

    # -- answers -------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        answers = action in ("approve", "request_changes", "reject", "edit_prompt", "open_copy")
        if answers and (self._review is None or not self._review.open or self._sending):
            return False
        return super().check_action(action, parameters)

    def action_approve(self) -> None:
        review = self._review
        if review is None:
            return
        against = model.overridden(review, frozenset(self._seen | self._opened))
        if against:
            self._ask_reason(review, against)
        elif self.query_one(DecisionBar).short and self._asked_twice != "approve":
            self._preview("approve", "review.approve")
        else:
            self._decide(DecisionKind.APPROVE)

    def _preview(self, name: str, key_id: str) -> None:
        """Where the legend is hidden, the first press shows what the second one does."""
        self._asked_twice = name
        self.query_one(DecisionBar).display = True
        key = self.desk.key_shown(key_id)
        self.query_one(DecisionBar).preview(key)
        self._refusal = f"Press {key} again to approve."
        self._draw_note()

    def _ask_reason(self, review: Review, against: Sequence[str]) -> None:
        lines = "\n".join(f"  ! {line}" for line in against)
        self._write(
            Writing(
                title=f"Approve {review.task.spec.key} although",
                explanation=f"{lines}\n\nYour reason is stored with the decision as an override.",
                send_label="Approve",
                placeholder="Why is it right all the same?",
            ),
            lambda text: self._decide(DecisionKind.APPROVE, note=text),
        )

    def action_request_changes(self) -> None:
        chosen = self._chosen()
        listed = "\n".join(f"  [x] {finding.place} {finding.message}" for finding in chosen) or "  no finding is ticked"
        self._write(
            Writing(
                title="Request changes",
                explanation=f"Claude gets your note and these findings, word for word:\n{listed}",
                send_label="Send back",
                placeholder="What should be different?",
                may_be_empty=bool(chosen),
            ),
            lambda text: self._decide(DecisionKind.CHANGES, note=text, chosen=chosen),
        )

    def action_reject(self) -> None:
        review = self._review
        if review is None:
            return
        self._write(
            Writing(
                title=f"Reject {review.task.spec.key}",
                explanation=f"{model.effects(review, 0).reject}.",
                send_label="Reject",
                placeholder="Why is this the wrong way?",
            ),
            lambda text: self._decide(DecisionKind.REJECT, note=text),
        )

    def action_edit_prompt(self) -> None:
        backend, chosen, gate = self.desk.backend, self._chosen(), self._gate
        if backend is None:
            return

        def read() -> None:
            try:
                text = backend.reader.next_prompt(gate, "", chosen)
            except ObraError as refused:
                self.desk.soon(partial(self.desk.tell, str(refused), problem=True))
            else:
                self.desk.soon(partial(self._edit, text, chosen))

        self.run_worker(read, thread=True, exit_on_error=False, group="prompt", exclusive=True)

    def _edit(self, text: str, chosen: tuple[Finding, ...]) -> None:
        if not self.is_current:
            return
        self._write(
            Writing(
                title="The next prompt",
                explanation="Claude gets exactly this in the same conversation.",
                send_label="Send back with this prompt",
                text=text,
                tall=True,
            ),
            lambda prompt: self._decide(DecisionKind.CHANGES, chosen=chosen, prompt=prompt),
        )

    def _write(self, writing: Writing, then: Callable[[str], None]) -> None:
        def written(text: str | None) -> None:
            if text is not None:
                then(text)

        self.app.push_screen(WriteDialog(writing), written)

    def _decide(self, kind: DecisionKind, *, note: str = "", chosen: Sequence[Finding] = (), prompt: str = "") -> None:
        shown = self._drawn
        if shown is None or self._sending:
            return
        self._sending = True
        command = model.decision(
            shown,
            kind,
            by=self.desk.launch.person,
            note=note,
            chosen=chosen,
            prompt=prompt,
            open_s=self.desk.clock.now() - self._opened_at,
            seen=sorted(self._seen),
        )
        self.desk.requests.send(command, partial(self._decided, shown, kind), self._refused)

    def _decided(self, shown: Review, kind: DecisionKind, _: object) -> None:
        held = next((gate.held for gate in self.hub.view.held_gates if gate.id == self._gate), None)
        key = self.desk.key_shown("app.undo")
        undo = f" {key} undoes it until {clock_time(held.until)}." if held else ""
        self.desk.tell(f"{shown.task.spec.key}: {DECISION[kind].word}.{undo}")
        self._next_or_leave()

    def _refused(self, refused: ObraError) -> None:
        """Somebody was first, or the content is not what was shown: nothing was decided."""
        self._sending = False
        self._asked_twice = ""
        self._refusal = str(refused)
        if isinstance(refused, StaleDecision | GateDecided):
            self._drawn = None
            self._moved = False
            self.arming.open()
        self.draw(())
        self.refresh_bindings()

    def _next_or_leave(self) -> None:
        """One gate after the other; each is armed anew."""
        others = [gate for gate in self.hub.view.waiting_gates if gate.id != self._gate]
        if others:
            self.app.switch_screen(ReviewScreen(others[0].id))
        else:
            self.dismiss(None)

    def action_open_copy(self) -> None:
        review = self._review
        if review is not None and review.task.copy_path:
            self.desk.ask_open(review.task, partial(self.desk.requests.hand_back, self._gate))

    def action_stop_run(self) -> None:
        if self._review is not None:
            self.desk.ask_stop(self._review.session.id, None)

    def action_later(self) -> None:
        self.dismiss(None)

    def action_reload(self) -> None:
        self._drawn, self._refusal, self._moved = None, "", False
        self.draw(())


def _changed(before: Review, after: Review) -> bool:
    return (before.gate.binding, before.attempt.diff, before.attempt.quality) != (
        after.gate.binding,
        after.attempt.diff,
        after.attempt.quality,
    )


def evidence_lines(review: Review) -> list[LogLine]:
    """Return the checks, what failed first, then what the judge said, then where each number comes from."""
    results = [check.result for check in review.attempt.checks if check.result is not None]
    results.sort(key=lambda result: result.status is CheckStatus.PASSED)
    lines = [LogLine("Checks, run by Obra", style="heading")]
    lines.extend(finished_check(result) for result in results)
    if not results:
        lines.append(LogLine("No check was run.", style="warn", glyph="!"))
    judge = review.attempt.judge
    if judge is not None and judge.verdict is not None:
        lines.extend(verdict_lines(judge.verdict, findings=False))
    quality = review.attempt.quality
    if quality is not None:
        lines.append(LogLine("Scores", style="heading", aside=f"needs {score(quality.threshold)}"))
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


def _tick(index: int, finding: Finding) -> Tick:
    return Tick(
        str(index),
        finding.message,
        severity=finding.severity.value,
        path=finding.file,
        line=finding.line or 0,
        checked=model.checked_by_default(finding),
        source=finding.source.value,
    )


def file_diffs(
    patch: str, changes: Sequence[FileChange], texts: dict[str, tuple[str | None, str | None]]
) -> list[FileDiff]:
    """Return every changed file, in the order of the file list; a file whose patch was cut off says so."""
    patches = {item.path: item.patch for item in split_patch(patch)}
    return [
        _file_diff(change, patches.get(change.path, ""), texts.get(change.path, (None, None))) for change in changes
    ]


def _file_diff(change: FileChange, patch: str, texts: tuple[str | None, str | None]) -> FileDiff:
    before, after = texts
    known = before is not None or after is not None
    notes = [change.protected, "binary" if change.binary else ""]
    if not patch and not change.binary:
        notes.append("patch cut at a size limit")
    return FileDiff(
        change.path,
        patch=patch,
        before=(before or "") if known else None,
        after=(after or "") if known else None,
        status=LETTERS[change.kind],
        added=change.added,
        removed=change.removed,
        old_path=change.old_path,
        note=", ".join(note for note in notes if note),
    )
