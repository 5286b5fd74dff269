import pytest

from obra_tui.core.doctor import DoctorLine, DoctorStatus
from obra_tui.core.errors import ProjectError
from obra_tui.ui.actions.suspend import editor_at
from obra_tui.ui.screens.live.screen import LiveScreen
from obra_tui.ui.screens.setup import screen as setup
from tests.ui.stage import LINES, FakeDoctor, Stage, settled


async def test_every_line_shows_its_fact_and_the_command_that_fixes_it():
    stage = Stage()
    async with stage.open() as pilot:
        await stage.press(pilot, "6")
        await settled(pilot, lambda: "4 of 7 ready" in stage.text())
        for line in LINES:
            assert line.fact.split()[0] in stage.text()
            assert line.fix in stage.text()


async def test_the_fix_of_the_highlighted_line_is_copied():
    stage = Stage()
    async with stage.open() as pilot:
        await stage.press(pilot, "6")
        await settled(pilot, lambda: "4 of 7 ready" in stage.text())
        await stage.press(pilot, "j", "j", "j", "y")
        assert stage.app.clipboard == "claude login"


async def test_looking_again_shows_what_is_there_by_now():
    doctor = FakeDoctor()
    stage = Stage(doctor=doctor)
    async with stage.open() as pilot:
        await stage.press(pilot, "6")
        await settled(pilot, lambda: "4 of 7 ready" in stage.text())
        doctor.lines = (DoctorLine(name="git", status=DoctorStatus.OK, fact="git 2.39.5"),)
        await stage.press(pilot, "f5")
        await settled(pilot, lambda: "1 of 1 ready" in stage.text())
        assert doctor.runs == 2


async def test_a_doctor_that_fails_is_a_line_and_not_a_crash():
    class Broken(FakeDoctor):
        def run(self):
            yield LINES[0]
            raise ProjectError("This folder is no git repository.", fix="git init")

    stage = Stage(doctor=Broken())
    async with stage.open() as pilot:
        await stage.press(pilot, "6")
        await settled(pilot, lambda: "no git repository" in stage.text())
        assert "git init" in stage.text()


async def test_the_origin_of_every_setting_is_shown():
    stage = Stage()
    async with stage.open() as pilot:
        await stage.press(pilot, "6")
        await settled(pilot, lambda: "OBRA_JUDGE__BASE_URL" in stage.text())


async def test_without_a_rehearsal_there_is_no_demo_key():
    stage = Stage()
    async with stage.open() as pilot:
        await stage.press(pilot, "6")
        await settled(pilot, lambda: "4 of 7 ready" in stage.text())
        assert "Demo run" not in stage.text()


async def test_setup_can_be_the_first_screen():
    stage = Stage(first_screen="setup")
    async with stage.open() as pilot:
        await settled(pilot, lambda: "SETUP" in stage.text())
        await stage.press(pilot, "escape")
        assert isinstance(stage.screen, LiveScreen)


async def test_f_shows_the_settings_alone_with_where_each_comes_from():
    stage = Stage()
    async with stage.open(size=(80, 24)) as pilot:
        await stage.press(pilot, "6")
        await settled(pilot, lambda: "4 of 7 ready" in stage.text())
        await stage.press(pilot, "f")
        await settled(pilot, lambda: "gate.policy" in stage.text())
        assert "git 2.39.5" not in stage.text()
        assert ".obra/config.toml:4" in stage.text()
        await stage.press(pilot, "f")
        assert "git 2.39.5" in stage.text()


async def test_the_file_of_the_setting_under_the_cursor_is_opened_at_its_line(monkeypatch):
    opened = []
    monkeypatch.setattr(setup, "edit_file", lambda app, file, line: opened.append((file, line)) or "")
    stage = Stage()
    async with stage.open() as pilot:
        await stage.press(pilot, "6", "f")
        await settled(pilot, lambda: stage.screen.query_one("#config").highlighted == "gate.threshold")
        await stage.press(pilot, "E", "j", "j", "E")
        assert opened == [("/home/ada/.config/obra/config.toml", 0), ("/home/ada/calc/.obra/config.toml", 4)]
        await settled(pilot, lambda: "read when Obra starts" in stage.text())


@pytest.mark.parametrize(
    ("editor", "line", "command"),
    [
        ("vim -n", 4, ["vim", "-n", "+4", "f.toml"]),
        ("/usr/bin/code --wait", 4, ["/usr/bin/code", "--wait", "-g", "f.toml:4"]),
        ("hx", 4, ["hx", "f.toml:4"]),
        ("nano", 0, ["nano", "f.toml"]),
        ("", 4, []),
    ],
)
def test_every_editor_is_told_the_line_in_its_own_way(editor, line, command):
    assert editor_at(editor, "f.toml", line) == command
