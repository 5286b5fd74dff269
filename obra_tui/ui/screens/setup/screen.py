"""Setup: what is there, what is missing, and the command that fixes it. Nothing is installed behind anybody's back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from obra_tui.core.doctor import DoctorLine, DoctorStatus
from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record
from obra_tui.ui.actions.suspend import edit_file
from obra_tui.ui.bindings import bindings
from obra_tui.ui.ports import Setting
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.parts import ScreenPart
from obra_tui.ui.view.status_words import DOCTOR, Tone
from obra_tui.ui.view.statusline import StatusPart
from widgets.lines import LogLine, Span
from widgets.lists.choice_list import ChoiceList

AGAIN_S = 5.0


class DoctorList(ChoiceList):
    """Rows whose copy key copies the command, not the row: that is the screen's to do."""

    UNUSED = ChoiceList.UNUSED | {"copy"}


class SettingList(ChoiceList):
    """What can be done without the rest, then the settings in force; a row is copied by its list's own key."""


class SetupScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("setup")

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[DoctorLine, ...] = ()
        self._looking = False
        self._told: list[LogLine] = []
        self._wanted = ""
        """The setting to point at as soon as it is listed."""
        self.add_part(SettingKeys(self, self._look))

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="setup"):
            yield DoctorList(id="doctor")
            yield SettingList(id="config")

    def on_mount(self) -> None:
        self.query_one("#doctor").border_title = "What is here"
        self.query_one("#config").border_title = "Without these you can still"
        self.query_one("#doctor").focus()
        self.set_interval(AGAIN_S, self._again)
        self._look()

    def draw(self, records: Sequence[Record]) -> None:
        self._draw_side()
        ready = sum(line.status in (DoctorStatus.OK, DoctorStatus.WARN) for line in self._lines)
        note = "looking…" if self._looking and not self._lines else f"{ready} of {len(self._lines)} ready"
        demo = self.services.open_demo is not None and self._missing()
        hint = f"you can rehearse now ({self.services.key_label('setup.start_demo')}): no login, no model, no cost"
        self.show_status(
            StatusPart(text="SETUP", strong=True),
            StatusPart(text=note, tone=Tone.WARN if self._missing() else Tone.PASS),
            StatusPart(text=hint if demo else ""),
        )

    def _missing(self) -> bool:
        return any(line.status is DoctorStatus.MISSING and line.needed for line in self._lines)

    def _draw_side(self) -> None:
        lines = self._side()
        if lines != self._told:
            self._told = lines
            self._settings_list.set_rows(lines)
            if self._wanted and self._settings_list.highlight(self._wanted):
                self._wanted = ""

    @property
    def _settings_list(self) -> SettingList:
        return self.query_one("#config", SettingList)

    @property
    def _settings(self) -> Sequence[Setting]:
        return self.services.backend.settings if self.services.backend else ()

    def _side(self) -> list[LogLine]:
        key = self.services.key_label
        rehearse = f"{key('setup.start_demo')}  watch a rehearsal: everything real but the two models"
        lines = [LogLine(rehearse)] if self.services.open_demo is not None else []
        lines.append(LogLine(f"{key('app.show_history')}  look at earlier sessions"))
        by_hand = "judge by hand: without Ollama every gate asks you, with the checks before you"
        lines.append(LogLine(f"–  {by_hand}", hang="   "))
        if self._settings:
            lines.append(LogLine(""))
            lines.append(LogLine("Settings in force", style="heading", aside="where each comes from"))
            lines.extend(_setting(setting) for setting in self._settings)
        return lines

    # -- looking -------------------------------------------------------------------------------

    def _again(self) -> None:
        """What was missing may be there by now; nobody looks while nobody watches."""
        if self.is_current and any(line.status not in (DoctorStatus.OK, DoctorStatus.WARN) for line in self._lines):
            self._look()

    def _look(self) -> None:
        if self._looking:
            return
        self._looking = True
        self.draw(())
        self.run_worker(self._run_doctor, thread=True, exit_on_error=False, group="doctor")

    def _run_doctor(self) -> None:
        """In a worker thread: lines are shown as they come."""
        found: list[DoctorLine] = []
        try:
            for line in self.services.doctor.run():
                found.append(line)
                self.services.call_soon(partial(self._take, tuple(found), False))
        except ObraError as refused:
            found.append(DoctorLine(name="doctor", status=DoctorStatus.UNKNOWN, fact=refused.what, fix=refused.fix))
        except Exception as error:  # noqa: BLE001 - the edge of the thread: becomes a line and a file
            self.services.call_soon(partial(self.services.report_error, error, "while looking at the machine"))
        self.services.call_soon(partial(self._take, tuple(found), True))

    def _take(self, lines: tuple[DoctorLine, ...], done: bool) -> None:
        if not self.ready:
            return
        # While looking again, what was known stays until it is known anew.
        known = {line.name: line for line in self._lines}
        fresh = {line.name: line for line in lines}
        shown = tuple(fresh.values()) if done else tuple({**known, **fresh}.values())
        if done:
            self._looking = False
        if shown != self._lines:
            self._lines = shown
            self.query_one("#doctor", ChoiceList).set_rows([doctor_row(line) for line in shown])
        self.draw(())
        self.refresh_bindings()

    # -- keys ----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "start_demo":
            return self.services.open_demo is not None
        return super().check_action(action, parameters)

    def action_check_again(self) -> None:
        self._look()

    def action_copy_fix(self) -> None:
        name = self.query_one("#doctor", ChoiceList).highlighted
        line = next((line for line in self._lines if line.name == name), None)
        if line is None or not line.fix:
            self.services.notify("There is nothing to copy for this line.")
            return
        self.services.copy(line.fix)

    def action_start_demo(self) -> None:
        self.services.start_demo()

    def point_at(self, name: str) -> None:
        """Show one setting, as somebody asked for it by name."""
        self.query_one("#setup").add_class("-settings")
        self._settings_list.focus()
        self._wanted = "" if self._settings_list.highlight(name) else name

    def action_go_back(self) -> None:
        self.services.navigator.show("live")


class SettingKeys(ScreenPart):
    """Acts on the setting under the cursor."""

    def __init__(self, screen: ObraScreen, on_edited: Callable[[], None]) -> None:
        self._screen = screen
        self._on_edited = on_edited

    @property
    def _list(self) -> SettingList:
        return self._screen.query_one("#config", SettingList)

    @property
    def _settings(self) -> Sequence[Setting]:
        backend = self._screen.services.backend
        return backend.settings if backend else ()

    def action_show_settings(self) -> None:
        """The settings alone, on the whole screen; the same key goes back to both."""
        setup, settings = self._screen.query_one("#setup"), self._settings
        alone = setup.toggle_class("-settings").has_class("-settings")
        (self._list if alone else self._screen.query_one("#doctor")).focus()
        if alone and settings and self._list.highlighted not in {one.name for one in settings}:
            self._list.highlight(settings[0].name)

    def action_edit_setting(self) -> None:
        """Open the file in which the setting under the cursor stands, or would stand, at its line."""
        name, settings, services = self._list.highlighted, self._settings, self._screen.services
        known = next((one for one in settings if one.name == name), None) or next(iter(settings), None)
        if known is None:
            services.notify("The settings are not read yet.")
            return
        problem = edit_file(self._screen.app, known.file, known.line)
        services.notify(
            problem or "Settings are read when Obra starts: leave and start it again.", problem=bool(problem)
        )
        self._on_edited()

    def action_next_pane(self) -> None:
        self._screen.focus_next("ChoiceList")


def doctor_row(line: DoctorLine) -> LogLine:
    """`✗ claude-login   Claude Code is not logged in`, then the command that helps."""
    status = DOCTOR[line.status]
    name = f"{line.name:<14}"
    text = f"{name} {line.fact}"
    style = f"strong {status.tone.value}".strip()
    spans = [Span(0, len(line.name), style)]
    if line.fix:
        text += "\nrun:  "
        spans.append(Span(len(text), len(text) + len(line.fix), "code"))
        text += line.fix
    if line.detail:
        spans.append(Span(len(text) + 1, len(text) + 1 + len(line.detail), "dim"))
        text += f"\n{line.detail}"
    hang = " " * 15
    return LogLine(
        text,
        key=line.name,
        glyph=status.glyph,
        spans=tuple(spans),
        aside=status.word,
        hang=hang,
        aside_style=status.tone.value or "text",
    )


def _setting(setting: Setting) -> LogLine:
    head = f"{setting.name} = {setting.value}"
    return LogLine(head, key=setting.name, aside=f"  {setting.origin}", hang="  ")
