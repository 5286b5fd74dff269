"""The panes of a Live screen: what Claude does, the diff of its work or what the judge says, scores, and the tasks.

A replay has the same panes; they are given the services of their screen, which may be those of the past.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from obra_tui.core.events import Record
from obra_tui.core.ids import TaskId
from obra_tui.ui.feeds.claude import ATTEMPT, ClaudeFeed
from obra_tui.ui.feeds.validation import ValidationFeed
from obra_tui.ui.plain import plain
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.live.empty_state import hints
from obra_tui.ui.screens.live.focus import TaskFocus
from obra_tui.ui.screens.live.task_sidebar import TaskSidebar
from obra_tui.ui.screens.live.work_diff import WorkDiff
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.screens.parts import ScreenPart
from obra_tui.ui.view import scores
from widgets.bars.score_bars import ScoreBars
from widgets.lines import LogLine
from widgets.log_view.view import LogPane


class LivePanes(Horizontal):
    """Draws the task of a focus; what is streamed goes straight to its pane."""

    def __init__(self, screen: ObraScreen, focus: TaskFocus) -> None:
        super().__init__(id="body")
        self._owner = screen
        self._focus = focus
        self._drawn: TaskId | None = None
        self._hinted = ""
        self._names = ("", "")
        self._at_attempt: int | None = None

    def compose(self) -> ComposeResult:
        yield LogPane(id="claude", clock=self._clock, hint="following")
        with Vertical(id="right"):
            yield WorkDiff(id="work")
            yield LogPane(id="validation", clock=self._clock, hint="v raw answer")
            with Vertical(id="quality"):
                yield ScoreBars(ascii=self._owner.services.launch.ascii_glyphs, id="scores")
        yield TaskSidebar(id="rail")

    def on_mount(self) -> None:
        self.claude = self._last_pane = self.query_one("#claude", LogPane)
        self._validation = self.query_one("#validation", LogPane)
        self._work = self.query_one(WorkDiff)
        self._claude_feed = ClaudeFeed(self.claude)
        self._validation_feed = ValidationFeed(self._validation)
        self.claude.border_title = "Claude Code · implementer"
        self._validation.border_title = "Qwen · validator"
        self.query_one("#quality").border_title = "Quality"
        self.claude.focus()

    def _clock(self) -> datetime:
        return datetime.fromtimestamp(self._owner.services.clock.now())

    @property
    def sidebar(self) -> TaskSidebar:
        return self.query_one(TaskSidebar)

    @property
    def in_front(self) -> LogPane:
        """The pane that keys are about: the one with the focus, else the one that had it last."""
        focused = self.screen.focused
        if isinstance(focused, LogPane):
            self._last_pane = focused
        return self._last_pane

    # -- drawing -------------------------------------------------------------------------------

    def draw(self, records: Sequence[Record]) -> None:
        """Show the task of the focus; `records` is what came since, empty when everything may have changed."""
        shown = self._focus.shown
        task, hint = shown.task, "\n".join(hints(self._owner.services, shown))
        if task is None or task.id != self._drawn or not records or (hint != self._hinted and self._hinted):
            self._draw_anew(hint)
        else:
            mine = [record for record in records if record.task == task.id and record.attempt]
            if undrawn := self._owner.services.view_store.undrawn.pop(task.id, 0):
                self._claude_feed.skip(undrawn)
            self._claude_feed.add(mine)
            self._validation_feed.add(mine)
        self._draw_scores()
        self._work.follow_work(task, shown.attempt, records)

    def forget_drawn(self) -> None:
        """What was told meanwhile is in the buffer, not in the panes: draw all of it next time."""
        self._drawn = None

    def _draw_anew(self, hint: str) -> None:
        task = self._focus.shown.task
        if task is not None and task.id == self._drawn and not hint and not self._hinted:
            return
        self._drawn, self._hinted = (task.id if task else None), hint
        self._claude_feed.reset()
        self._validation_feed.reset()
        if hint:
            self.claude.extend([LogLine(line, style="dim") for line in hint.split("\n")])
        if task is not None:
            store = self._owner.services.view_store
            store.undrawn.pop(task.id, None)
            buffer = store.replay_buffer.of(task.id)
            self._claude_feed.add(buffer)
            self._validation_feed.add(buffer)

    def keep_back(self) -> None:
        """In blind mode the judge's number is not shown before the person's own is given."""
        kept = self._owner.services.blinded
        if kept != self._validation_feed.kept:
            self._validation_feed.kept = kept
            self._draw_validation_anew()
            self.query_one("#quality").border_title = "Quality, hidden: blind" if kept.attempts else "Quality"

    def _draw_validation_anew(self) -> None:
        task = self._focus.shown.task
        if task:
            self._validation_feed.reset()
            self._validation_feed.add(self._owner.services.view_store.replay_buffer.of(task.id))

    def _draw_scores(self) -> None:
        task, attempt = self._focus.shown.task, self._focus.shown.attempt
        earlier = self._focus.view.attempts_of(task.id) if task else ()
        before = earlier[-2] if len(earlier) > 1 else None
        bars = self.query_one("#scores", ScoreBars)
        bars.show(
            scores.stage_scores(attempt, before), scores.overall(attempt, before), attempts=scores.history(earlier)
        )
        judge = attempt.judge.identity if attempt and attempt.judge else None
        name = _short_model(judge.model) if judge else "Qwen"
        model = f" · {attempt.model}" if attempt and attempt.model else ""
        self._name_panes(f"Claude Code · implementer{model}", f"{name} · validator")

    def _name_panes(self, claude: str, validation: str) -> None:
        """Setting a title, even the same one, paints the whole pane anew."""
        if (claude, validation) != self._names:
            self._names = (claude, validation)
            self.claude.border_title, self._validation.border_title = plain(claude), plain(validation)

    def tick(self, now: float) -> None:
        """Everything that a clock changes."""
        self._work.tick(now)
        self._show_work()
        if self.sidebar.display:
            self.sidebar.show(self._focus.view, self._focus.shown, now)

    def _show_work(self) -> None:
        """The diff of the work has the place of the judge's pane while that has nothing to say."""
        right = self.query_one("#right")
        if right.has_class("-work") != self._work.is_wanted:
            right.set_class(self._work.is_wanted, "-work")
            focused = self.screen.focused
            if focused is not None and not focused.region:
                self.claude.focus()

    # -- what the keys do ----------------------------------------------------------------------

    def toggle_work(self) -> None:
        self._work.toggle()

    def toggle_raw(self) -> None:
        """The answer of the judge as it came, or what was read of it."""
        self._validation_feed.raw = not self._validation_feed.raw
        self._validation.set_hint("v rendered answer" if self._validation_feed.raw else "v raw answer")
        self._draw_validation_anew()

    def go_to_attempt(self, step: int) -> None:
        """Scroll to where an attempt begins."""
        task = self._focus.shown.task
        if task is None or not task.attempts:
            return
        keys = [f"{attempt}:{ATTEMPT}" for attempt in task.attempts]
        here = self._at_attempt if self._at_attempt is not None else len(keys) if step < 0 else -1
        self._at_attempt = max(0, min(len(keys) - 1, here + step))
        self.claude.goto(keys[self._at_attempt])

    def pin(self, task: TaskId | None) -> None:
        """Show this task whatever else is at work; None follows the work again."""
        self._focus.pin(task)
        self._owner.draw(())
        self._owner.refresh_bindings()

    def on_task_sidebar_task_picked(self, message: TaskSidebar.TaskPicked) -> None:
        self.pin(TaskId(message.task))

    def on_task_sidebar_file_picked(self, message: TaskSidebar.FilePicked) -> None:
        attempt = self._focus.shown.attempt
        self.claude.goto(f"{attempt.id}:work" if attempt else "", unfold=True)


class LivePaneKeys(ScreenPart):
    """Moves through the panes of a screen, and through the tasks that they show."""

    def __init__(self, screen: ObraScreen, panes: LivePanes, focus: TaskFocus) -> None:
        self._screen = screen
        self._panes = panes
        self._focus = focus

    def check_action(self, action: str) -> bool | None:
        if action in ("next_task", "previous_task"):
            return self._focus.shown.task is not None
        if action == "go_back":
            return self._focus.pinned is not None or self._screen.maximized is not None
        return True

    def action_show_work(self) -> None:
        self._panes.toggle_work()
        self._screen.tick()

    def action_find(self) -> None:
        self._screen.query_one(MessageLine).ask("Find", self._find, live=self._find_live)

    def _find_live(self, text: str) -> None:
        found = self._panes.in_front.find(text)
        self._screen.query_one(MessageLine).tell(f"{found} found" if text else "")

    def _find(self, text: str) -> None:
        self._find_live(text)
        self._panes.in_front.focus()

    def action_follow(self) -> None:
        self._panes.in_front.scroller.toggle_follow()

    def action_wrap(self) -> None:
        self._panes.in_front.scroller.toggle_wrap()

    def action_raw(self) -> None:
        self._panes.toggle_raw()

    def action_zoom(self) -> None:
        if self._screen.maximized is None:
            self._screen.maximize(self._panes.in_front, container=False)
        else:
            self._screen.minimize()

    def action_unzoom(self) -> None:
        self._screen.minimize()

    def action_next_pane(self) -> None:
        self._screen.focus_next("LogPane")

    def action_previous_pane(self) -> None:
        self._screen.focus_previous("LogPane")

    def action_next_attempt(self) -> None:
        self._panes.go_to_attempt(1)

    def action_previous_attempt(self) -> None:
        self._panes.go_to_attempt(-1)

    # -- tasks ---------------------------------------------------------------------------------

    def action_next_task(self) -> None:
        self._panes.pin(self._focus.neighbour(1))

    def action_previous_task(self) -> None:
        self._panes.pin(self._focus.neighbour(-1))

    def action_go_back(self) -> None:
        if self._screen.maximized is not None:
            self._screen.minimize()
        else:
            self._panes.pin(None)


def _short_model(model: str) -> str:
    return model if len(model) <= 30 else f"{model[:29]}…"
