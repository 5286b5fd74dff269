"""Live: what Claude does, what is found out about its work, and how it scores, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize

from obra_tui.core.events import Record
from obra_tui.core.ids import TaskId
from obra_tui.core.lifecycle import WORKING, State
from obra_tui.ui.bindings import bindings
from obra_tui.ui.feeds.claude import ATTEMPT, ClaudeFeed
from obra_tui.ui.feeds.validation import ValidationFeed
from obra_tui.ui.plain import plain
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.live.empty_state import hints
from obra_tui.ui.screens.live.shown_task import ShownTask, neighbour, task_to_show
from obra_tui.ui.screens.live.task_sidebar import TaskSidebar
from obra_tui.ui.screens.live.work_diff import WorkDiff
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.state import PipelineStep, StepStatus, ViewState, steps_of
from obra_tui.ui.view import scores
from obra_tui.ui.view.attention import Attention, AttentionKind, attentions
from obra_tui.ui.view.blinding import redact_view
from obra_tui.ui.view.format import duration
from obra_tui.ui.view.status_words import STEP, TASK, Tone
from obra_tui.ui.view.statusline import StatusPart, queued_text, side_by_side, status_parts
from widgets.bars.score_bars import ScoreBars
from widgets.bars.status_line import Banner, StepStrip, StripStep
from widgets.lines import LogLine
from widgets.log_view.view import LogPane

WIDE = 160
_IN_HAND = WORKING | {State.QUEUED, State.INTERRUPTED}
"""States in which a person may work on a task instead of Claude."""

_BANNER_STATES = {
    AttentionKind.UNDO: "held",
    AttentionKind.QUESTION: "gate",
    AttentionKind.GATE: "gate",
    AttentionKind.PROMPT: "gate",
    AttentionKind.TAKEN: "held",
    AttentionKind.PROBLEM: "fail",
    AttentionKind.STALL: "warn",
    AttentionKind.INTERRUPTED: "stopped",
}


class LiveScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("live")
    ALLOW_IN_MAXIMIZED_VIEW = "StatusLine, StepStrip, Banner, MessageLine, KeyLine"

    def __init__(self) -> None:
        super().__init__()
        self._pinned: TaskId | None = None
        self._shown = ShownTask()
        self._view = ViewState()
        """As the person may see it now."""
        self._drawn: TaskId | None = None
        self._hinted = ""
        self._attentions: tuple[Attention, ...] = ()
        self._names = ("", "")
        self._unsent = ""
        """A message that could not be delivered."""

    def compose_body(self) -> ComposeResult:
        ascii_only = self.services.launch.ascii_glyphs
        yield StepStrip(ascii=ascii_only, id="steps")
        yield Banner(ascii=ascii_only, id="banner")
        with Horizontal(id="body"):
            yield LogPane(id="claude", clock=self._clock, hint="following")
            with Vertical(id="right"):
                yield WorkDiff(id="work")
                yield LogPane(id="validation", clock=self._clock, hint="v raw answer")
                with Vertical(id="quality"):
                    yield ScoreBars(ascii=ascii_only, id="scores")
            yield TaskSidebar(id="rail")
        yield MessageLine(id="message")

    def on_mount(self) -> None:
        self._claude = self.query_one("#claude", LogPane)
        self._validation = self.query_one("#validation", LogPane)
        self._work = self.query_one(WorkDiff)
        self._claude_feed = ClaudeFeed(self._claude)
        self._validation_feed = ValidationFeed(self._validation)
        self._claude.border_title = "Claude Code · implementer"
        self._validation.border_title = "Qwen · validator"
        self.query_one("#quality").border_title = "Quality"
        self._claude.focus()

    def _clock(self) -> datetime:
        return datetime.fromtimestamp(self.services.clock.now())

    @property
    def rail(self) -> TaskSidebar:
        return self.query_one(TaskSidebar)

    # -- drawing -------------------------------------------------------------------------------

    def draw(self, records: Sequence[Record]) -> None:
        before = self._shown.task.id if self._shown.task else None
        self._keep_back()
        self._shown = task_to_show(self._view, session=self.services.session, pinned=self._pinned, before=before)
        self._draw_panes(records)
        self._draw_scores()
        self._work.follow_work(self._shown.task, self._shown.attempt, records)
        self.tick()

    def on_screen_resume(self) -> None:
        """What was told meanwhile is in the buffer, not in the panes. Called before that of the base class."""
        if self.has_missed:
            self._drawn = None

    def tick(self) -> None:
        """Everything that a clock changes."""
        now, view = self.services.clock.now(), self._view
        shown_now = self._shown
        self.show_status(*self._status_parts(now))
        self.query_one("#steps", StepStrip).show(self._strip(now))
        self._attentions = attentions(view, now, self.services.launch.stall_seconds)
        self._draw_banner()
        self._work.tick(now)
        self._show_work()
        if self.rail.display:
            self.rail.show(view, shown_now, now)

    def _show_work(self) -> None:
        """The diff of the work has the place of the judge's pane while that has nothing to say."""
        right = self.query_one("#right")
        if right.has_class("-work") != self._work.is_wanted:
            right.set_class(self._work.is_wanted, "-work")
            if self.focused is not None and not self.focused.region:
                self._claude.focus()

    def action_show_work(self) -> None:
        self._work.toggle()
        self.tick()

    def _status_parts(self, now: float) -> tuple[StatusPart, ...]:
        it = self._shown
        if it.session is None:
            return (StatusPart(text=self.services.phase),)
        parts = status_parts(self._view, it.session, it.task, it.attempt, now, self.services.launch.ascii_glyphs)
        pinned = (StatusPart(text="pinned"),) if self._pinned else ()
        return (*parts, *pinned, *queued_text(it.task), *side_by_side(self._view, it.session))

    def _keep_back(self) -> None:
        """In blind mode the judge's number is not shown before the person's own is given."""
        kept = self.services.blinded
        self._view = redact_view(self.services.view, kept)
        if kept != self._validation_feed.kept:
            self._validation_feed.kept = kept
            self._draw_validation_anew()
            self.query_one("#quality").border_title = "Quality, hidden: blind" if kept.attempts else "Quality"

    def _draw_validation_anew(self) -> None:
        if self._shown.task:
            self._validation_feed.reset()
            self._validation_feed.add(self.view_store.replay_buffer.of(self._shown.task.id))

    def _strip(self, now: float) -> list[StripStep]:
        if self._shown.task is None:
            return []
        steps = steps_of(self._shown.task, self._shown.attempt)
        return [StripStep(step.name.value, STEP[step.status].state, _note(step, now)) for step in steps]

    def _draw_banner(self) -> None:
        banner = self.query_one("#banner", Banner)
        if not self._attentions:
            banner.clear()
            return
        first, more = self._attentions[0], len(self._attentions) - 1
        key = self.services.key_label(first.key_id) if first.key_id else ""
        waits = first.kind is AttentionKind.PROBLEM and first.tone is Tone.WARN
        state = "warn" if waits else _BANNER_STATES[first.kind]
        answer = f"{key} to {first.key_label}" if key else ""
        banner.show(first.text, state=state, key=answer, short=first.short, more=f"(+{more} more)" if more else "")

    def _draw_panes(self, records: Sequence[Record]) -> None:
        task = self._shown.task
        hint = "\n".join(hints(self.services, self._shown))
        if task is None or task.id != self._drawn or not records or (hint != self._hinted and self._hinted):
            self._draw_panes_anew(hint)
            return
        mine = [record for record in records if record.task == task.id and record.attempt]
        if undrawn := self.view_store.undrawn.pop(task.id, 0):
            self._claude_feed.skip(undrawn)
        self._claude_feed.add(mine)
        self._validation_feed.add(mine)

    def _draw_panes_anew(self, hint: str) -> None:
        task = self._shown.task
        if task is not None and task.id == self._drawn and not hint and not self._hinted:
            return
        self._drawn, self._hinted = (task.id if task else None), hint
        self._claude_feed.reset()
        self._validation_feed.reset()
        if hint:
            self._claude.extend([LogLine(line, style="dim") for line in hint.split("\n")])
        if task is not None:
            self.view_store.undrawn.pop(task.id, None)
            buffer = self.view_store.replay_buffer.of(task.id)
            self._claude_feed.add(buffer)
            self._validation_feed.add(buffer)

    def _draw_scores(self) -> None:
        task, attempt = self._shown.task, self._shown.attempt
        earlier = self._view.attempts_of(task.id) if task else ()
        before = earlier[-2] if len(earlier) > 1 else None
        bars = self.query_one("#scores", ScoreBars)
        bars.show(
            scores.stage_scores(attempt, before),
            scores.overall(attempt, before),
            attempts=scores.history(earlier),
        )
        judge = attempt.judge.identity if attempt and attempt.judge else None
        name = _short_model(judge.model) if judge else "Qwen"
        model = f" · {attempt.model}" if attempt and attempt.model else ""
        self._name_panes(f"Claude Code · implementer{model}", f"{name} · validator")

    def _name_panes(self, claude: str, validation: str) -> None:
        """Setting a title, even the same one, paints the whole pane anew."""
        if (claude, validation) != self._names:
            self._names = (claude, validation)
            self._claude.border_title, self._validation.border_title = plain(claude), plain(validation)

    def on_resize(self, event: Resize) -> None:
        """The third column comes and goes with the width."""
        if self.ready:
            self.call_after_refresh(self.tick)

    # -- what the keys do ----------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        session, task = self._shown.session, self._shown.task
        running = session is not None and session.running
        match action:
            case "review_gate":
                return bool(self.services.view.waiting_gates)
            case "pause":
                return running and not self._can_resume()
            case "resume_run":
                return self._can_resume()
            case "stop_run":
                return running
            case "message":
                return task is not None and not task.over
            case "edit_prompt":
                return bool(self._can_hold_prompt())
            case "take_over":
                return task is not None and bool(task.copy_path) and task.state in _IN_HAND
            case "interrupt":
                return task is not None and bool(self._shown.attempt and self._shown.attempt.claude_running)
            case "new_task":
                return None if self.services.engine is None else not running
            case "next_task" | "previous_task":
                return task is not None
            case "go_back":
                return self._pinned is not None or self.maximized is not None
            case _:
                return True

    def _can_resume(self) -> bool:
        session = self._shown.session
        if session is None or session.closed_at is not None:
            return False
        waits = {code for owner, code in self.services.view.problems if owner == session.id} & {"limited", "budget"}
        interrupted = any(item.kind is AttentionKind.INTERRUPTED for item in self._attentions)
        return bool(session.paused_by) or interrupted or bool(waits)

    def action_review_gate(self) -> None:
        self.services.navigator.review_oldest()

    def action_pause(self) -> None:
        if self._shown.session:
            self.services.commands.pause(self._shown.session.id)

    def action_resume_run(self) -> None:
        if self._shown.session:
            self.services.commands.resume(self._shown.session.id)

    def action_stop_run(self) -> None:
        if self._shown.session:
            self.services.confirm.stop(self._shown.session.id, self._shown.task)

    def action_interrupt(self) -> None:
        if self._shown.task:
            self.services.commands.interrupt(self._shown.task.id)

    def action_new_task(self) -> None:
        self.services.confirm.new_task()

    def _can_hold_prompt(self) -> bool:
        task = self._shown.task
        waits = any(item.held_prompt is not None for item in self.services.view.tasks.values())
        return waits or (task is not None and not task.over and self.services.engine is not None)

    def action_edit_prompt(self) -> None:
        self.services.navigator.edit_prompt(self._shown.task)

    def action_take_over(self) -> None:
        if self._shown.task:
            self.services.takeover.take_over(self._shown.task)

    def action_show_rules(self) -> None:
        self.services.navigator.show_rules()

    def action_message(self) -> None:
        """The line belongs to the task that is shown now, whatever is shown when it is sent."""
        task = self._shown.task
        if task is not None:
            now = self._shown.attempt is not None and self._shown.attempt.claude_running
            where = "into the running turn" if now else "added to the next prompt"
            label = f"To Claude ({task.spec.key}, {where})"
            self.query_one(MessageLine).ask(label, partial(self._send, task.id), text=self._unsent)

    def _send(self, to: TaskId, text: str) -> None:
        self._unsent = ""
        task = self.services.view.tasks.get(to)
        if not text or task is None:
            return
        if task.over:
            self._unsent = text
            key = self.services.key_label("live.message")
            became = TASK[task.state].word
            self.services.notify(
                f"Not delivered: {task.spec.key} is {became} already. {key} opens your text again.", problem=True
            )
            return
        self.services.commands.send_text(to, text)

    def action_find(self) -> None:
        self.query_one(MessageLine).ask("Find", self._find, live=self._find_live)

    def _find_live(self, text: str) -> None:
        found = self._pane.find(text) if text else self._pane.find("")
        self.query_one(MessageLine).tell(f"{found} found" if text else "")

    def _find(self, text: str) -> None:
        self._find_live(text)
        self._pane.focus()

    @property
    def _pane(self) -> LogPane:
        focused = self.focused
        if isinstance(focused, LogPane):
            self._last_pane = focused
        return getattr(self, "_last_pane", self._claude)

    def action_follow(self) -> None:
        self._pane.scroller.toggle_follow()

    def action_wrap(self) -> None:
        self._pane.scroller.toggle_wrap()

    def action_raw(self) -> None:
        self._validation_feed.raw = not self._validation_feed.raw
        self._validation.set_hint("v rendered answer" if self._validation_feed.raw else "v raw answer")
        self._draw_validation_anew()

    def action_zoom(self) -> None:
        if self.maximized is None:
            self.maximize(self._pane, container=False)
        else:
            self.minimize()

    def action_unzoom(self) -> None:
        self.minimize()

    def action_next_pane(self) -> None:
        self.focus_next("LogPane")

    def action_previous_pane(self) -> None:
        self.focus_previous("LogPane")

    def action_next_task(self) -> None:
        self._pin(1)

    def action_previous_task(self) -> None:
        self._pin(-1)

    def _pin(self, step: int) -> None:
        if self._shown.task:
            self.pin(neighbour(self.services.view, self._shown.task, step).id)

    def pin(self, task: TaskId | None) -> None:
        """Show this task whatever else is at work; None follows the work again."""
        self._pinned = task
        self._shown = ShownTask()
        self.draw(())
        self.refresh_bindings()

    def action_go_back(self) -> None:
        if self.maximized is not None:
            self.minimize()
        else:
            self.pin(None)

    def action_next_attempt(self) -> None:
        self._go_to_attempt(1)

    def action_previous_attempt(self) -> None:
        self._go_to_attempt(-1)

    def _go_to_attempt(self, step: int) -> None:
        """Scroll to where an attempt begins."""
        task = self._shown.task
        if task is None or not task.attempts:
            return
        keys = [f"{attempt}:{ATTEMPT}" for attempt in task.attempts]
        here = getattr(self, "_at_attempt", len(keys) if step < 0 else -1)
        self._at_attempt = max(0, min(len(keys) - 1, here + step))
        self._claude.goto(keys[self._at_attempt])

    def on_banner_pressed(self) -> None:
        if self._attentions and self._attentions[0].key_id:
            self.services.press(self._attentions[0].key_id)

    def on_rail_task_picked(self, message: TaskSidebar.TaskPicked) -> None:
        self.pin(TaskId(message.task))

    def on_rail_file_picked(self, message: TaskSidebar.FilePicked) -> None:
        self._claude.goto(f"{self._shown.attempt.id}:work" if self._shown.attempt else "", unfold=True)


def _note(step: PipelineStep, now: float) -> str:
    if step.started_at is None:
        return step.note
    if step.status is StepStatus.RUNNING:
        return f"{step.note} {duration(now - step.started_at)}".strip()
    took = duration(step.ended_at - step.started_at) if step.ended_at is not None else ""
    return step.note or took


def _short_model(model: str) -> str:
    return model if len(model) <= 30 else f"{model[:29]}…"
