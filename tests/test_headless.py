"""What a run without a screen prints for a person."""

import io

import pytest
from msgspec.structs import replace

from obra_tui.core import events as ev
from obra_tui.core.ids import SessionId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import Outcome, WorkCopy
from obra_tui.headless.follow import PrintOptions, follow, text_lines
from obra_tui.store.codec import record_to_json
from obra_tui.store.redact import Redactor
from obra_tui.store.redact_streams import StreamRedactor
from tests.fakes.engine import FakeEngine
from tests.store.story import finished_session

CLAUDE = "Not logged in · Please run /login"
WHOLE = f"{CLAUDE}. Check claude.api_key, or log in: run the claude program once and type /login."


def told(*events):
    """Return what is printed of a run in which just this happens, its summary left out."""
    first = finished_session().records[0]
    end = ev.RunFinished(accepted=0, rejected=0, failed=0, waiting=0, interrupted=1, blocked=0)
    engine, out = FakeEngine(), io.StringIO()
    records = [replace(first, event=event) for event in (*events, end)]
    output = PrintOptions(as_json=False, stream=out, encode=str)
    follow(engine, SessionId(first.session), output, lambda: engine.play(records), "person:ada")
    return out.getvalue().splitlines()[:-1]


def cannot_work(detail=WHOLE):
    ended = next(r.event for r in finished_session().records if isinstance(r.event, ev.ClaudeEnded))
    result = replace(ended.result, outcome=Outcome.AUTH, detail=detail)
    return (
        replace(ended, result=result),
        ev.ProblemRaised(code="auth", text=detail, fix=""),
        ev.TaskMoved(before=State.IMPLEMENTING, trigger=Trigger.INTERRUPT, after=State.INTERRUPTED, reason=detail),
    )


def test_that_a_login_is_needed_is_said_once():
    lines = told(ev.ClaudeNoticed(level="error", text=CLAUDE), *cannot_work())
    assert "\n".join(lines).count("Not logged in") == 1
    assert "\n".join(lines).count("type /login") == 1
    assert lines[0] == f"  ! {CLAUDE}"
    assert lines[1].startswith("  ■ Claude Code: Check claude.api_key, or log in: ")
    assert lines[2] == "  interrupted"


def test_another_reason_and_what_to_do_about_it_is_said():
    (*_, problem, moved) = cannot_work("The network is gone.")
    lines = told(*cannot_work(), replace(problem, fix="Plug it in."), moved)
    assert lines[-3:] == ["! The network is gone.", "  Plug it in.", "  interrupted"]


def test_one_record_by_itself_tells_its_whole_reason():
    record = finished_session().records[0]
    said = [line for event in cannot_work() for line in text_lines(replace(record, event=event))]
    assert "\n".join(said).count(WHOLE) == 3


SECRETS = {
    "of the environment": "hush-hush-very-secret",
    "by its shape": "sk-ant-api03-" + "A1b2" * 12,
    "in an address": "https://ada:hunter2hunter2@example.org/x.git",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_a_secret_that_the_database_does_not_keep_is_not_printed_either(as_json, secret):
    first = finished_session().records[0]
    shown = (
        ev.ClaudeNoticed(level="error", text=f"with {secret}"),
        ev.ProblemRaised(code="x", text=f"It said {secret}.", fix=f"Try {secret}"),
        replace(first.event, title=f"Use {secret}"),
    )
    end = ev.RunFinished(accepted=0, rejected=0, failed=0, waiting=0, interrupted=1, blocked=0)
    engine, out = FakeEngine(), io.StringIO()
    redact = StreamRedactor(Redactor([SECRETS["of the environment"]])).take
    output = PrintOptions(as_json=as_json, stream=out, encode=record_to_json, redact=redact)
    records = [replace(first, event=event) for event in (*shown, end)]
    follow(engine, SessionId(first.session), output, lambda: engine.play(records), "person:ada")
    assert "hush-hush" not in out.getvalue()
    assert "A1b2A1b2" not in out.getvalue()
    assert "hunter2" not in out.getvalue()
    assert "[redacted: " in out.getvalue()


def test_what_copies_lack_is_said_before_the_first_attempt():
    copy = WorkCopy(path="/c", base_commit="b", lacks=("`.env` is not in a copy. Set workspace.include.", "two"))
    assert told(ev.CopyPrepared(copy=copy)) == ["! `.env` is not in a copy. Set workspace.include.", "! two"]
    assert told(ev.CopyPrepared(copy=replace(copy, lacks=()))) == []


def test_how_long_a_slow_check_took_before_is_said_when_it_starts():
    assert told(ev.CheckStarted(name="pytest", command="x", expected_s=240.2)) == [
        "  … pytest runs, about 240 s by its last times"
    ]
    assert told(ev.CheckStarted(name="pytest", command="x", expected_s=2.0)) == []
    assert told(ev.CheckStarted(name="pytest", command="x")) == []
