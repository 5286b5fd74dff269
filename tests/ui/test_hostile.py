"""What a model or a repository wrote is shown, never obeyed: no control character, no markup, no action."""

import re
from enum import Enum

import msgspec
import pytest
from textual.content import Content
from textual.widgets import Static

from obra_tui.core import events as e
from obra_tui.core.doctor import DoctorLine, DoctorStatus
from obra_tui.core.model import PermissionKind
from obra_tui.ui.screens.dialogs.permission import PermissionScreen
from obra_tui.ui.screens.review.screen import ReviewScreen
from tests.ui import stories
from tests.ui.stage import FakeDoctor, FakeReader, Stage, settled

HOSTILE = (
    "\x1b]0;owned\x07\x1b]52;c;ZXZpbA==\x07\x1b[2J\x1bc",
    "\x9b31mred\x90dcs\x9c\u202egnp.exe\u2066x\u2069\u200b\ufeff",
    "[/] [/bold] [@click=app.quit]quit[/] [$error] \\[x] [link=file:///etc/passwd]x[/link]",
    "a\r\nb\tc\x00d\x7f\n\n[bold",
    "\U000e0041\U000e0042\ud800 lone",
)
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
KEPT = {
    "id",
    "gate",
    "call",
    "block",
    "type",
    "kind",
    "level",
    "state",
    "key",
    "depends_on",
    "fingerprint",
    "at",
    "by",
    "binding",
    "claude_session",
    "patch",
}


def spoiled(value, bad):
    """The same value with every free text in it made hostile."""
    if isinstance(value, Enum) or not (isinstance(value, msgspec.Struct | str | tuple)):
        return value
    if isinstance(value, str):
        return f"{value}{bad}"
    if isinstance(value, tuple):
        return tuple(spoiled(item, bad) for item in value)
    fields = {field: spoiled(getattr(value, field), bad) for field in value.__struct_fields__ if field not in KEPT}
    return msgspec.structs.replace(value, **fields)


def spoil(story, bad):
    story.records = [msgspec.structs.replace(r, event=spoiled(r.event, bad)) for r in story.records]
    return story


def noisy():
    story = stories.at_gate()
    return story.tell(
        e.ClaudeNoticed(level="error", text="stderr", raw_json="{}"),
        e.RetryScheduled(attempt=1, max_retries=3, delay_s=1.0, status=529, error="overloaded"),
        e.LimitReported(status="rejected", window="5h", resets_at=stories.START, utilization=0.9),
        e.SteerQueued(text="steer", by="person:ada", delivered=False),
        e.ThinkingStreamed(block="t", text="thinking"),
        e.ProblemRaised(code="judge", text="Ollama is gone", fix="ollama serve"),
    )


def check(stage):
    text = stage.text()
    assert not FORBIDDEN.search(text), FORBIDDEN.search(text)
    assert stage.app.is_running
    assert stage.app.return_value is None


@pytest.mark.parametrize("bad", HOSTILE)
async def test_no_text_of_anybody_else_reaches_the_terminal_raw(bad):
    doctor = FakeDoctor(
        [DoctorLine(name="git", status=DoctorStatus.MISSING, fact=f"x{bad}", fix=f"y{bad}", detail=bad)]
    )
    stage = Stage(spoil(noisy(), bad), doctor=doctor, reader=FakeReader(prompt=f"prompt {bad}"), viewer_of=bad)
    async with stage.open() as pilot:
        check(stage)
        for key in ("1", "2", "3", "6"):
            await stage.press(pilot, key)
            check(stage)
        await stage.press(pilot, "1", "g")
        assert isinstance(stage.screen, ReviewScreen)
        check(stage)
        for keys in (("tab",), ("tab",), ("n",), ("c", "escape"), ("a", "escape"), ("r", "escape")):
            await stage.press(pilot, *keys)
            check(stage)
        await stage.press(pilot, "escape", "question_mark")
        check(stage)
        await stage.press(pilot, "escape", "ctrl+p")
        check(stage)


ALL_OF_IT = " and ".join(HOSTILE)


@pytest.mark.parametrize("kind", list(PermissionKind))
async def test_a_permission_prompt_cannot_be_spoofed_by_its_text(kind):
    bad = ALL_OF_IT
    question = msgspec.structs.replace(
        spoiled(stories.push_question(), bad), kind=kind, options=(f"one{bad}", "two"), detail=f"x\n{bad}\ny"
    )
    stage = Stage(stories.two_tasks().attempt_started().permission(question))
    async with stage.open() as pilot:
        check(stage)
        await stage.press(pilot, "A")
        assert isinstance(stage.screen, PermissionScreen)
        check(stage)


async def test_markup_stays_what_it_is():
    story = stories.two_tasks().attempt_started()
    story.uses("c", "Bash", "[/bold] [@click=app.quit]x[/]", output=f"[/red]\n{ALL_OF_IT}")
    stage = Stage(story)
    async with stage.open() as pilot:
        await settled(pilot, lambda: "[/bold] [@click=app.quit]x[/]" in stage.text())
        await pilot.click("#claude", offset=(45, 5))
        check(stage)


async def test_a_refusal_with_markup_is_told_literally():
    from obra_tui.core.commands import Pause
    from obra_tui.core.errors import NotAllowed
    from tests.fakes.engine import FakeEngine

    story = stories.streaming()
    engine = FakeEngine(story.records, {Pause: NotAllowed("No [/bold] [@click=app.quit]way[/]")})
    stage = Stage(story, engine=engine)
    async with stage.open() as pilot:
        await stage.press(pilot, "p")
        await settled(pilot, lambda: "No [/bold] [@click=app.quit]way[/]" in stage.text())
        check(stage)


@pytest.mark.parametrize("bad", HOSTILE[:2])
async def test_the_last_choke_point_holds_when_a_widget_is_careless(bad):
    stage = Stage(stories.streaming())
    async with stage.open() as pilot:
        await stage.screen.mount(Static(Content(f"careless {bad}")))
        await settled(pilot, lambda: "careless" in stage.text())
        check(stage)
