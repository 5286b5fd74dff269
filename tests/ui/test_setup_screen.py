from obra_tui.core.doctor import DoctorLine, DoctorStatus
from obra_tui.core.errors import ProjectError
from obra_tui.ui.screens.live import LiveScreen
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
