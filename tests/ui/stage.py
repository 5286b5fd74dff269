"""The app on a stage: a fake engine, a fixed clock, and any story as its past."""

from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager

from obra_tui.core.doctor import DoctorLine, DoctorStatus
from obra_tui.core.errors import ObraError, PlanError
from obra_tui.core.events import STREAMED
from obra_tui.core.model import Diff, Plan
from obra_tui.core.plans.parse import format_of, parse_plan
from obra_tui.ui.app import ObraApp
from obra_tui.ui.launch import LaunchOptions
from obra_tui.ui.ports import Backend, Setting
from tests.fakes.engine import FakeEngine
from tests.ui.stories import Story

LINES = (
    DoctorLine(name="git", status=DoctorStatus.OK, fact="git 2.39.5"),
    DoctorLine(name="data", status=DoctorStatus.OK, fact="~/.local/share/obra is writable, 79 GB free"),
    DoctorLine(name="claude", status=DoctorStatus.OK, fact="Claude Code 2.1.240 (bundled)"),
    DoctorLine(
        name="claude-login",
        status=DoctorStatus.MISSING,
        fact="Claude Code is not logged in",
        fix="claude login",
        detail="or set ANTHROPIC_API_KEY",
    ),
    DoctorLine(
        name="ollama",
        status=DoctorStatus.MISSING,
        fact="nothing listens at 127.0.0.1:11434",
        fix="ollama serve",
        detail="or set judge.base_url",
    ),
    DoctorLine(
        name="judge-model",
        status=DoctorStatus.UNKNOWN,
        fact="qwen2.5-coder:32b was not checked: it needs Ollama",
        fix="ollama pull qwen2.5-coder:32b",
        detail="about 19 GB, needs about 24 GB of memory",
    ),
    DoctorLine(
        name="sandbox",
        status=DoctorStatus.WARN,
        fact="bubblewrap is not there: checks run without it",
        fix="apt install bubblewrap",
        needed=False,
    ),
)


OWN_FILE, PROJECT_FILE = "/home/ada/.config/obra/config.toml", "/home/ada/calc/.obra/config.toml"
SETTINGS = (
    Setting(name="gate.threshold", value="0.7", origin="default", file=OWN_FILE),
    Setting(name="judge.base_url", value="http://127.0.0.1:11434", origin="OBRA_JUDGE__BASE_URL", file=OWN_FILE),
    Setting(name="gate.policy", value="supervised", origin=".obra/config.toml:4", file=PROJECT_FILE, line=4),
)


class FakeClock:
    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class FakeDoctor:
    def __init__(self, lines: Sequence[DoctorLine] = LINES) -> None:
        self.lines = lines
        self.runs = 0

    def run(self) -> Sequence[DoctorLine]:
        self.runs += 1
        return self.lines


class FakeReader:
    """Answers with `files` and `prompt`; an exception in their place is raised."""

    def __init__(
        self, files: dict[str, tuple[str | None, str | None]] | None = None, prompt: object = "", since: object = None
    ) -> None:
        self.files = files or {}
        self.prompt = prompt
        self.since = since
        self.asked: list[tuple[object, ...]] = []
        self.so_far: Diff | BaseException = Diff(base_commit="", tree="", digest="", patch="", files=())

    def work_so_far(self, session, copy_path):
        self.asked.append(("work_so_far", copy_path))
        if isinstance(self.so_far, BaseException):
            raise self.so_far
        return self.so_far

    def changes_since(self, attempt, earlier):
        self.asked.append(("changes_since", attempt, earlier))
        if isinstance(self.since, BaseException):
            raise self.since
        return self.since

    def files_of(self, attempt, path, since=None):
        self.asked.append(("files_of", attempt, path) if since is None else ("files_of", attempt, path, since))
        return self.files.get(path, (None, None))

    def next_prompt(self, gate, note, chosen):
        self.asked.append(("next_prompt", gate, note, chosen))
        if isinstance(self.prompt, BaseException):
            raise self.prompt
        return self.prompt or "\n".join(["Take up your work again.", note, *(item.message for item in chosen)])


class FakePlans:
    """Plan files by name; a change of one is told to whoever watches it."""

    def __init__(self, files: dict[str, str] | None = None) -> None:
        self.files = files or {}
        self.watched: dict[str, Callable[[], None]] = {}
        self.told_problems: list[Callable[[ObraError], None]] = []

    def found(self) -> Sequence[str]:
        return tuple(self.files)

    def read(self, name: str) -> Plan:
        if name not in self.files:
            raise PlanError("The plan cannot be read: No such file or directory.", where=name, fix="Name a file.")
        return parse_plan(self.files[name], name, format_of(name))

    def path_of(self, name: str) -> str:
        return name

    def watch(self, name: str, changed: Callable[[], None]) -> Callable[[], None]:
        self.watched[name] = changed
        return lambda: self.watched.pop(name, None)

    def on_problem(self, tell: Callable[[ObraError], None]) -> None:
        self.told_problems.append(tell)

    def write(self, name: str, text: str) -> None:
        self.files[name] = text
        if name in self.watched:
            self.watched[name]()


class Stage:
    """An app with everything that it was built from."""

    def __init__(
        self,
        story: Story | None = None,
        *,
        after: float = 24.0,
        open_backend: Callable[[], Backend] | None = None,
        engine: FakeEngine | None = None,
        reader: FakeReader | None = None,
        history=None,
        plans: FakePlans | None = None,
        archive=None,
        doctor: FakeDoctor | None = None,
        open_demo: Callable[[], Backend] | None = None,
        viewer_of: str = "",
        friction: bool = True,
        watch_store=None,
        **launch,
    ) -> None:
        self.story = story or Story()
        self.engine = engine or FakeEngine(self.story.records)
        self.reader = reader or FakeReader()
        self.clock = FakeClock(self.story.at + after)
        self.doctor = doctor or FakeDoctor()
        backend = Backend(
            engine=self.engine,
            reader=self.reader,
            friction=friction,
            history=history,
            archive=archive,
            plans=plans,
            viewer_of=viewer_of,
            settings=SETTINGS,
            watch_store=watch_store,
        )
        options = {
            "project": "/home/ada/calc",
            "person": "person:ada",
            "data_dir": "/nowhere/obra",
            "version": "0.1.0",
            "reduce_motion": True,
            "review_grace_s": 0.0,
        } | launch
        self.app = ObraApp(
            open_backend or (lambda: backend),
            self.doctor,
            LaunchOptions(**options),
            open_demo=open_demo,
            clock=self.clock,
        )

    def play(self, tell: Callable[[Story], object]) -> None:
        """Let something more happen, as the engine's thread would tell it."""
        known = len(self.story.records)
        tell(self.story)
        self.engine.play(self.story.records[known:])

    @property
    def screen(self):
        return self.app.screen

    @property
    def services(self):
        return self.app.services

    @asynccontextmanager
    async def open(self, size=(120, 36)):
        """Run the app until the engine is there and everything it told is shown."""
        async with self.app.run_test(size=size, notifications=True) as pilot:
            await settled(pilot, lambda: self.app.services and (self.app.services.engine or self.app.services.failure))
            await settled(pilot, lambda: self.app.services.engine is None or self.seen_all())
            yield pilot

    def seen_all(self) -> bool:
        """The newest fact of the story arrived in the view."""
        facts = [r for r in self.story.records if not isinstance(r.event, STREAMED)]
        session = self.services.view.sessions.get(facts[-1].session) if facts else None
        return not facts or (session is not None and session.last_fact >= facts[-1].seq)

    async def press(self, pilot, *keys: str) -> None:
        for key in keys:
            await pilot.press(key)
            while self.app.taking_a_key and self.app.return_value is None:  # a key that ends the app is never done
                await pilot.pause()
        await pilot.pause()

    def text(self) -> str:
        """What stands on the screen now."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def settled(pilot, condition: Callable[[], object], turns: int = 600) -> None:
    """Let the app work until `condition` holds."""
    for _ in range(turns):
        if condition():
            await pilot.pause()
            return
        await pilot.pause(0.005)
    raise AssertionError("the condition never came true")


def untick_all(checklist):
    """Take the tick off every finding, as a person does who goes from one to the next."""
    for key in checklist.checked:
        checklist.highlight(key)
        checklist.action_tick()
