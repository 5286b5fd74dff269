"""From a plan file into the plan on the screen: choose, look inside, take in; and what was changed on both sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from obra_tui.core.model import Plan
from obra_tui.core.plans.merge import Difference, describe, differences
from obra_tui.ui.actions.plan_changes import plan_session
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.tasks.adding import in_plan
from obra_tui.ui.screens.tasks.rows import notes_text
from obra_tui.ui.services import AppServices

if TYPE_CHECKING:
    from obra_tui.ui.ports import Plans


class PlanImport:
    def __init__(self, screen: ObraScreen, on_files: Callable[[], None]) -> None:
        """Dialogs open over `screen`; `on_files` is called when the plan files of the project are known."""
        self._screen = screen
        self._on_files = on_files
        self.files: tuple[str, ...] = ()
        """Plan files of the project, as far as somebody looked."""

    @property
    def _services(self) -> AppServices:
        return self._screen.services

    @property
    def plans(self) -> Plans | None:
        return self._services.backend.plans if self._services.backend else None

    def look(self) -> None:
        """Find out in a thread which files there are, and have the screen drawn then."""
        plans = self.plans
        if plans is not None:
            self._services.in_thread(lambda: self._services.call_soon(partial(self._found, tuple(plans.found()))))

    def _found(self, files: tuple[str, ...]) -> None:
        self.files = files
        self._on_files()

    def choose(self) -> None:
        from obra_tui.ui.screens.tasks.plan_choice import PlanChoice

        if self.plans is not None:
            chosen = PlanChoice(self.plans)
            self._screen.app.push_screen(chosen, lambda plan: self._preview(plan) if plan else None)

    def _preview(self, plan: Plan) -> None:
        from obra_tui.ui.screens.tasks.plan_preview import PlanPreview

        session = plan_session(self._services.view, self._services.session)
        is_open = session is not None and session.closed_at is None
        known = self._services.plan_file.known(session.id) if session is not None and is_open else ()
        found = [item for item in differences(plan, known) if item.theirs is not None]
        counts = describe(found).replace("added", "new")
        note = f"{plan.source}: {counts or 'nothing new'}. Nothing has come in yet."
        if plan.notes:
            note += f"\n{notes_text(plan.notes)}"
        preview = PlanPreview("Import tasks", note, found)
        self._screen.app.push_screen(preview, lambda taken: self._take_in(plan, found, taken) if taken else None)

    def _take_in(self, plan: Plan, found: Sequence[Difference], taken: Sequence[Difference]) -> None:
        settle = self._services.plan_file.settle
        source = self.plans.path_of(plan.source) if self.plans is not None else plan.source
        in_plan(self._services, lambda session: settle(session, found, taken), plan.title, source)

    def settle(self) -> None:
        """Ask about what was changed here and in the file."""
        from obra_tui.ui.screens.tasks.plan_preview import PlanPreview

        watch = self._services.plan_file
        session, conflicts = watch.session, watch.conflicts
        if session is None or not conflicts:
            return
        note = f"Changed here and in {watch.source}. Ticked: as the file says it. Not ticked: as it is here."
        self._screen.app.push_screen(
            PlanPreview("Changed on both sides", note, conflicts, "Settle"),
            lambda taken: watch.settle(session, conflicts, taken) if taken is not None else None,
        )
