"""From a plan file into the plan on the screen: choose, look inside, take in; and what was changed on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from obra_tui.core.model import Plan
from obra_tui.core.plans.merge import Difference, describe, differences
from obra_tui.ui.actions.plan_watch import plan_session
from obra_tui.ui.screens.task_adding import in_plan

if TYPE_CHECKING:
    from obra_tui.ui.ports import Plans
    from obra_tui.ui.screens.tasks import TasksScreen
    from obra_tui.ui.services import Desk


class Intake:
    def __init__(self, screen: TasksScreen) -> None:
        self._screen = screen
        self.files: tuple[str, ...] = ()
        """Plan files of the project, as far as somebody looked."""

    @property
    def _desk(self) -> Desk:
        return self._screen.desk

    @property
    def plans(self) -> Plans | None:
        return self._desk.backend.plans if self._desk.backend else None

    def look(self) -> None:
        """Find out in a thread which files there are, and have the screen drawn then."""
        plans = self.plans
        if plans is not None:
            self._desk.in_thread(lambda: self._desk.soon(partial(self._found, tuple(plans.found()))))

    def _found(self, files: tuple[str, ...]) -> None:
        self.files = files
        self._screen.draw_anew()

    def choose(self) -> None:
        from obra_tui.ui.screens.plan_choice import PlanChoice

        if self.plans is not None:
            chosen = PlanChoice(self.plans)
            self._screen.app.push_screen(chosen, lambda plan: self._preview(plan) if plan else None)

    def _preview(self, plan: Plan) -> None:
        from obra_tui.ui.screens.plan_preview import PlanPreview

        session = plan_session(self._desk.hub.view, self._desk.session)
        is_open = session is not None and session.closed_at is None
        known = self._desk.plan_watch.known(session.id) if session is not None and is_open else ()
        found = [item for item in differences(plan, known) if item.theirs is not None]
        counts = describe(found).replace("added", "new")
        note = f"{plan.source}: {counts or 'nothing new'}. Nothing has come in yet."
        preview = PlanPreview("Import tasks", note, found)
        self._screen.app.push_screen(preview, lambda taken: self._take_in(plan, found, taken) if taken else None)

    def _take_in(self, plan: Plan, found: Sequence[Difference], taken: Sequence[Difference]) -> None:
        settle = self._desk.plan_watch.settle
        source = self.plans.path_of(plan.source) if self.plans is not None else plan.source
        in_plan(self._desk, lambda session: settle(session, found, taken), plan.title, source)

    def settle(self) -> None:
        """Ask about what was changed here and in the file."""
        from obra_tui.ui.screens.plan_preview import PlanPreview

        watch = self._desk.plan_watch
        session, conflicts = watch.session, watch.conflicts
        if session is None or not conflicts:
            return
        note = f"Changed here and in {watch.source}. Ticked: as the file says it. Not ticked: as it is here."
        self._screen.app.push_screen(
            PlanPreview("Changed on both sides", note, conflicts, "Settle"),
            lambda taken: watch.settle(session, conflicts, taken) if taken is not None else None,
        )
