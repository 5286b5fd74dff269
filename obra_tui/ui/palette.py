"""The palette: every action that is possible now, and every task, found by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from obra_tui.ui.screens.base import desk_of
from obra_tui.ui.words import TASK
from widgets.text import clean_line

Entry = tuple[str, str, Callable[[], object]]


class ObraCommands(Provider):
    async def discover(self) -> Hits:
        for text, note, run in self._entries():
            yield DiscoveryHit(Content(text), run, text=text, help=note)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for text, note, run in self._entries():
            found = matcher.match(text)
            if found > 0:
                yield Hit(found, Content(text), run, text=text, help=note)

    def _entries(self) -> Iterator[Entry]:
        yield from self._actions()
        yield from self._tasks()

    def _actions(self) -> Iterator[Entry]:
        seen: set[str] = set()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if not binding.description or binding.action in seen or not active.enabled or binding.system:
                continue
            seen.add(binding.action)
            label = f"{binding.description}  ({self.app.get_key_display(binding)})"
            yield label, "", partial(self.app.run_action, binding.action, active.node)

    def _tasks(self) -> Iterator[Entry]:
        desk = desk_of(self.app)
        for task in desk.hub.view.tasks.values():
            text = clean_line(f"Watch {task.spec.key} {task.spec.title}")
            yield text, TASK[task.state].word, partial(desk.watch_task, task.id)
