"""The palette: what is possible now, and everything that has a name, found by typing a few letters of it.

Actions of the screen come first, those of a pane last. Nothing is decided here: an entry does what its key does,
or goes to where the thing is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from obra_tui.ui.services import services_of
from obra_tui.ui.view.format import score
from obra_tui.ui.view.status_words import TASK
from widgets.text import clean_line

PaletteEntry = tuple[str, str, Callable[[], object]]

_IN_A_PANE = ("log.", "diff.", "checklist.")
_NOT_BY_NAME = ("next_pane", "previous_pane", "command_palette")


class ObraCommands(Provider):
    """Finds by name; without a query it lists what the keys do."""

    _guides: Mapping[str, str] = {}

    async def startup(self) -> None:
        """Guides are files: read beside the screen's loop."""
        self._guides = await asyncio.to_thread(services_of(self.app).launch.guides)

    async def discover(self) -> Hits:
        for text, note, run in (*self._actions(), *self._tasks()):
            yield DiscoveryHit(Content(text), run, text=text, help=note)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for text, note, run in self._entries():
            found = matcher.match(text)
            if found > 0:
                yield Hit(found, Content(text), run, text=text, help=note)

    def _entries(self) -> Iterator[PaletteEntry]:
        yield from self._actions()
        yield from self._tasks()
        yield from self._attempts()
        yield from self._settings()
        yield from self._themes()
        yield from self._pages()

    def _actions(self) -> Iterator[PaletteEntry]:
        """Every action that is possible now, the screen's own before those of what has the focus."""
        found: dict[str, tuple[bool, PaletteEntry]] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if not (binding.id and binding.description and active.enabled) or binding.action in _NOT_BY_NAME:
                continue
            label = f"{binding.description}  ({self.app.get_key_display(binding)})"
            entry = (label, "", partial(self.app.run_action, binding.action, active.node))
            found.setdefault(binding.action, (binding.id.startswith(_IN_A_PANE), entry))
        yield from (entry for in_pane, entry in sorted(found.values(), key=lambda item: item[0]))

    def _tasks(self) -> Iterator[PaletteEntry]:
        services = services_of(self.app)
        for task in services.view.tasks.values():
            text = clean_line(f"Watch {task.spec.key} {task.spec.title}")
            yield text, TASK[task.state].word, partial(services.navigator.watch_task, task.id)

    def _attempts(self) -> Iterator[PaletteEntry]:
        services = services_of(self.app)
        view, show = services.visible_view, services.navigator.open_attempt
        for attempt in view.attempts.values():
            task = view.tasks.get(attempt.task)
            name = f"{task.spec.key} {task.spec.title}" if task else str(attempt.task)
            scored = score(attempt.quality.overall) if attempt.quality else "no score"
            yield clean_line(f"Attempt {attempt.number} of {name}"), scored, partial(show, attempt.id)

    def _settings(self) -> Iterator[PaletteEntry]:
        services = services_of(self.app)
        for setting in services.backend.settings if services.backend else ():
            text = clean_line(f"Setting {setting.name} = {setting.value}")
            yield text, setting.origin, partial(services.navigator.show_setting, setting.name)

    def _themes(self) -> Iterator[PaletteEntry]:
        for name in sorted(self.app.available_themes):
            here = "in use" if name == self.app.theme else ""
            yield f"Theme {name}", here, partial(self._use_theme, name)

    def _use_theme(self, name: str) -> None:
        self.app.theme = name
        services_of(self.app).notify(f'To keep it: theme = "{name}" under [ui] in your settings.')

    def _pages(self) -> Iterator[PaletteEntry]:
        navigator = services_of(self.app).navigator
        for name, text in self._guides.items():
            yield f"Guide {name}", "", partial(navigator.read_guide, name, text)
