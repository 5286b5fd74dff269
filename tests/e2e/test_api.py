"""The programming interface with nothing replaced but the models: real Claude Code, git, checks, database."""

import contextlib
import re
import shutil
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import psutil
import pytest

from obra_tui.api import AttemptId, DecisionKind, GateId, Obra, SessionId, SessionKind, TaskId, Usage
from obra_tui.core.errors import (
    AlreadyOwned,
    GateDecided,
    NotAllowed,
    PlanError,
    ProjectError,
    SessionClosedError,
    SessionOpenError,
    StaleDecision,
    StoreError,
    UnknownId,
)
from obra_tui.core.events import CopyPrepared, SessionClosed
from obra_tui.core.lifecycle import State
from obra_tui.core.model import ConversationReason, Outcome, QualityResult, Stage
from obra_tui.rehearsal import Fault, FaultKind
from tests.e2e.house import House
from tests.e2e.obra import git

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

SOURCES = Path(__file__).parent.parent.parent / "obra_tui"


@pytest.fixture
def house(tmp_path):
    opened: list[House] = []

    def _house(scenario: str = "calculator", pace: float = 0.0) -> House:
        opened.append(House(tmp_path, scenario, pace))
        return opened[-1]

    yield _house
    for one in opened:
        one.theatre.close()


def total(attempts) -> Usage:
    return sum((attempt.usage for attempt in attempts), Usage())


def same(one: Usage, other: Usage) -> bool:
    return msgspec.structs.replace(one, cost_usd=0) == msgspec.structs.replace(other, cost_usd=0) and one.cost_usd == (
        pytest.approx(other.cost_usd, abs=1e-9)
    )


def assert_usage_adds_up(obra: Obra, session: SessionId) -> Usage:
    """The session is the sum of its attempts, and each attempt what its Claude run said in the end."""
    detail = obra.session(session)
    assert same(detail.summary.usage, total(detail.attempts))
    for attempt in detail.attempts:
        result = obra.attempt(attempt.id).result
        if result is not None:
            assert same(result.usage, attempt.usage), attempt.number
    return detail.summary.usage


# --- standalone ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """One standalone task; the tests below look at it through an Obra that is still open."""
    one = House(tmp_path_factory.mktemp("standalone"), "calculator")
    with one.open() as obra:
        (task,) = obra.create_tasks(one.plan)
        yield one, obra, obra.execute_task(task)
    one.theatre.close()


def test_a_task_without_a_session_makes_and_closes_one_of_its_own(done):
    _, obra, result = done
    assert (result.accepted, result.attempts, result.reason, result.gate) == (True, 2, "", None)
    detail = obra.session(result.session)
    assert (detail.summary.kind, detail.summary.closed_at is None) == (SessionKind.STANDALONE, False)
    assert [row.id for row in obra.sessions()] == [result.session]


def test_what_was_accepted_is_a_commit_on_the_branch_of_the_session(done):
    house, _, result = done
    assert git(house.repo, "rev-parse", result.branch) == result.commit
    assert "def divide" in git(house.repo, "show", f"{result.commit}:calculator.py")


def test_the_usage_of_the_session_is_that_of_its_attempts_and_of_the_task(done):
    _, obra, result = done
    usage = assert_usage_adds_up(obra, result.session)
    assert usage == result.usage
    assert usage.total_tokens > 0
    assert usage.cost_usd > 0
    assert len(obra.session(result.session).attempts) == 2


def test_claudes_ids_are_recorded_and_are_none_of_ours(done):
    _, obra, result = done
    (claude,) = result.claude_sessions
    assert re.fullmatch(r"[0-9a-f-]{36}", claude)
    assert claude not in {result.session, result.task, *(row.id for row in obra.session(result.session).attempts)}


def test_the_quality_comes_from_evidence_and_says_from_which(done):
    _, obra, result = done
    first, second = (obra.quality(row.id) for row in obra.session(result.session).attempts)
    assert (first.passes_gate, second.passes_gate) == (False, True)
    assert first.score_of(Stage.TESTING) == pytest.approx(0.8)
    assert any("test_divide_by_zero_raises" in text for text in first.obstacles)
    assert {finding.file for finding in first.findings} >= {"calculator.py"}
    origins = {item.stage: item for item in second.provenance}
    assert origins[Stage.TESTING].how == "measured"
    assert "exit 0" in origins[Stage.TESTING].source
    assert origins[Stage.QUALITY].how == "judged"
    assert origins[Stage.QUALITY].source.startswith("rehearsal-qwen @")
    assert result.quality == second
    assert second.overall_score >= second.threshold


@pytest.mark.parametrize("field", QualityResult.__struct_fields__)
def test_every_field_of_a_quality_result_reaches_the_screen_and_the_command_line(field):
    screen = [*(SOURCES / "ui").rglob("*.py")]
    lines = [*(SOURCES / "cli").glob("*.py"), SOURCES / "headless/follow.py"]
    shown = rf"quality\.({field}|overall)\b" if field == "overall_score" else rf"quality\.{field}\b"
    for files in (screen, lines):  # `overall` is the score, or that there is none
        assert any(re.search(shown, file.read_text()) for file in files), files[0].parent.name


def test_events_are_numbered_without_a_gap_and_end_with_the_session(done):
    _, obra, result = done
    records = list(obra.events(result.session, follow=True))
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert isinstance(records[-1].event, SessionClosed)


def test_usage_from_outside_counts_in_the_session_and_in_no_attempt(done):
    _, obra, result = done
    session = obra.start_milestone_session("Bookkeeping")
    more = Usage(input_tokens=10, output_tokens=5, cost_usd=0.25, turns=1)
    assert obra.update_session_usage(session, more) == more
    assert same(obra.update_session_usage(session, more), more + more)
    with pytest.raises(NotAllowed, match="below zero"):
        obra.update_session_usage(session, Usage(input_tokens=-1))
    assert same(obra.end_milestone_session(session).summary.usage, more + more)
    with pytest.raises(SessionClosedError, match="is closed"):
        obra.update_session_usage(session, more)
    assert_usage_adds_up(obra, result.session)


UNKNOWN = [
    lambda obra: obra.session(SessionId("s404")),
    lambda obra: obra.execute_task(obra.create_task("x"), SessionId("s404")),
    lambda obra: obra.end_milestone_session(SessionId("s404")),
    lambda obra: obra.update_session_usage(SessionId("s404"), Usage(input_tokens=1)),
    lambda obra: obra.execute_task(TaskId("t404")),
    lambda obra: obra.resume_task(TaskId("t404")),
    lambda obra: obra.gate(GateId("g404")),
    lambda obra: obra.decide(GateId("g404"), DecisionKind.APPROVE),
    lambda obra: obra.quality(AttemptId("a404")),
    lambda obra: obra.attempt(AttemptId("a404")),
]


@pytest.mark.parametrize("ask", UNKNOWN)
def test_an_id_that_is_not_there_is_named_and_the_way_on_with_it(done, ask):
    with pytest.raises(UnknownId, match=r"404") as caught:
        ask(done[1])
    assert caught.value.fix


def test_claudes_id_is_no_session_of_ours(done):
    _, obra, result = done
    with pytest.raises(UnknownId):
        obra.update_session_usage(SessionId(result.claude_sessions[0]), Usage(input_tokens=1))


def test_a_task_is_executed_once(done):
    _, obra, result = done
    with pytest.raises(UnknownId, match="create_task"):
        obra.execute_task(result.task)


def test_a_refused_task_leaves_no_session_open(done):
    _, obra, _ = done
    with pytest.raises(PlanError, match="waits for T999"):
        obra.execute_task(obra.create_task("Waits for nobody", depends_on=("T999",)))
    assert all(row.closed_at is not None for row in obra.sessions())


def test_a_second_obra_on_the_same_data_is_refused(done):
    house, _, _ = done
    with pytest.raises(AlreadyOwned):
        house.open()


def test_a_folder_that_is_no_repository_is_refused(tmp_path):
    with pytest.raises(ProjectError, match="no git repository"):
        Obra.open(tmp_path, {"data_dir": tmp_path / "data"})


# --- milestone sessions --------------------------------------------------------------------------


def test_a_milestone_session_holds_several_tasks_conversations_and_the_sum_of_all(house):
    one = house("two-tasks")
    with one.open() as obra:
        area, price = obra.create_tasks(one.plan)
        session = obra.start_milestone_session("Carpets")
        with pytest.raises(SessionOpenError, match=rf"Session {session} \(Carpets\) .* still open"):
            obra.start_milestone_session("Another")
        heard = in_the_background(lambda: list(obra.events(session, follow=True)))
        first, second = obra.execute_task(area, session), obra.execute_task(price, session)
        assert (first.state, second.state) == (State.ACCEPTED, State.ACCEPTED)
        assert (first.session, second.session) == (session, session)
        assert first.claude_sessions != second.claude_sessions
        copies = [r.event.copy for r in obra.events(session) if isinstance(r.event, CopyPrepared)]
        assert copies[1].base_commit == first.commit
        detail = obra.end_milestone_session(session)
        assert detail.summary.closed_at is not None
        assert same(detail.summary.usage, first.usage + second.usage)
        assert_usage_adds_up(obra, session)
        assert heard() == list(obra.events(session))
        late = obra.create_task("Too late")
        with pytest.raises(SessionClosedError, match=r"is closed\. Open a new one"):
            obra.execute_task(late, session)
    with one.open() as again:
        with pytest.raises(SessionClosedError):
            again.execute_task(again.create_task("Too late"), session)
        again.end_milestone_session(again.start_milestone_session("Next"))


def test_two_threads_work_on_a_task_each(house):
    one = house("stress")
    with one.open() as obra, ThreadPoolExecutor(2) as pool:
        tasks = obra.create_tasks(one.plan)[:2]
        first, second = pool.map(obra.execute_task, tasks)
        assert (first.accepted, second.accepted) == (True, True)
        assert first.session != second.session
        for result in (first, second):
            assert assert_usage_adds_up(obra, result.session) == result.usage


# --- decisions -----------------------------------------------------------------------------------


def test_a_person_decides_on_exactly_what_was_shown_and_once(house):
    one = house("csv")
    with one.open("manual") as obra:
        (task,) = obra.create_tasks(one.plan)
        waiting = obra.execute_task(task)
        assert (waiting.state, waiting.accepted) == (State.AWAITING_HUMAN, False)
        (gate,) = obra.pending_gates()
        assert gate.id == waiting.gate
        with pytest.raises(NotAllowed, match="needs a reason"):
            obra.decide(gate.id, DecisionKind.REJECT)
        (work,) = one.data.glob("copies/*/work")
        (work / "report.py").write_text("import os\n")
        with pytest.raises(StaleDecision, match="changed since it was shown"):
            obra.decide(gate.id, DecisionKind.APPROVE)
        assert obra.pending_gates()
        rejected = obra.decide(gate.id, DecisionKind.REJECT, "I do not trust it.")
        assert rejected.state is State.REJECTED
        assert obra.session(waiting.session).summary.closed_at is not None
        with pytest.raises(GateDecided, match="already answered by person:"):
            obra.decide(gate.id, DecisionKind.APPROVE)
        assert obra.pending_gates() == ()


def test_a_conversation_that_is_lost_is_followed_by_a_fresh_one_in_the_same_session(house):
    one = house("csv")
    with one.open("manual") as obra:
        (task,) = obra.create_tasks(one.plan)
        waiting = obra.execute_task(task)
        shutil.rmtree(one.claude_config / "projects")
        again = obra.decide(waiting.gate, DecisionKind.CHANGES, "Give the type of numbers one name.")
        assert again.state is State.AWAITING_HUMAN
        detail = obra.session(again.session)
        reasons = [c.reason for row in detail.attempts for c in obra.attempt(row.id).conversations]
        assert reasons == [
            ConversationReason.FIRST, ConversationReason.RESUME, ConversationReason.FRESH,
        ]  # fmt: skip
        assert detail.attempts[1].outcome is Outcome.RESUME_BROKEN
        assert len(again.claude_sessions) == 2
        assert_usage_adds_up(obra, again.session)
        assert obra.decide(again.gate, DecisionKind.APPROVE).accepted
        assert obra.session(again.session).summary.closed_at is not None


# --- faults of the store ---


def test_a_call_does_not_wait_for_what_can_no_longer_be_recorded(house):
    one = house("csv")
    with one.open() as obra:
        (task,) = obra.create_tasks(one.plan)
        with sqlite3.connect(one.data / "obra.db") as db:
            refuse = "BEGIN SELECT RAISE(ABORT, 'no room'); END"
            db.execute(f"CREATE TRIGGER full BEFORE INSERT ON event WHEN NEW.seq > 8 {refuse}")
        with pytest.raises(StoreError, match="no room"):
            obra.execute_task(task)
    assert git(one.repo, "branch", "--list", "obra/*") == ""
    with sqlite3.connect(one.data / "obra.db") as db:
        db.execute("DROP TRIGGER full")
    with one.open() as again:  # the lock was released, and what was stored is enough to go on
        done = again.resume_task(task)
        assert done.accepted, done.reason


# --- interruptions -------------------------------------------------------------------------------


def in_the_background(work):
    """Start `work` in a thread; returns a function that waits for its result."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return lambda: future.result(timeout=90)


def claude_of(house: House) -> list[psutil.Process]:
    """The Claude Code program of this house, by its configuration folder."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            mine = process.environ().get("CLAUDE_CONFIG_DIR") == str(house.claude_config)
        except psutil.Error:
            continue
        if mine and "claude" in process.name():
            found.append(process)
    return found


def test_a_killed_claude_is_resumed_and_what_it_used_is_counted_once(house):
    one = house("csv")
    one.theatre.claude.faults.add(Fault(kind=FaultKind.HANG, skip=1, seconds=60))
    with one.open() as obra:
        (task,) = obra.create_tasks(one.plan)
        result = in_the_background(lambda: obra.execute_task(task))
        one.theatre.claude.wait_for_requests(2, timeout=60)
        victims = claude_of(one)
        assert victims
        for victim in victims:
            victim.kill()
        done = result()
        assert done.accepted
        outcomes = [row.outcome for row in obra.session(done.session).attempts]
        assert outcomes[0] is Outcome.TRANSPORT_BROKEN
        assert outcomes[-1] is Outcome.COMPLETED
        assert len(done.claude_sessions) == 1
        assert assert_usage_adds_up(obra, done.session) == done.usage


def interrupted(house):
    """Close Obra while Claude works; returns the house, the closed Obra and the task."""
    one = house("csv")
    one.theatre.claude.faults.add(Fault(kind=FaultKind.HANG, skip=1, seconds=60))
    obra = one.open()
    (task,) = obra.create_tasks(one.plan)
    result = in_the_background(lambda: obra.execute_task(task))
    one.theatre.claude.wait_for_requests(2, timeout=60)
    closing = threading.Thread(target=obra.close)
    closing.start()
    with contextlib.suppress(NotAllowed):  # the call learns of the interruption, or only of the end of Obra
        assert result().state is State.INTERRUPTED
    closing.join()
    return one, obra, task


def test_what_was_interrupted_goes_on_in_the_same_conversation_after_opening_again(house):
    one, obra, task = interrupted(house)
    with one.open() as again:
        done = again.resume_task(task)
        assert done.accepted, done.reason
        assert len(done.claude_sessions) == 1
        assert again.session(done.session).summary.closed_at is not None
        assert assert_usage_adds_up(again, done.session) == done.usage
    with pytest.raises(NotAllowed, match="closed"):
        obra.start_milestone_session("x")


def test_interrupted_work_goes_on_in_a_fork_whose_usage_is_its_own(house):
    one, _, task = interrupted(house)
    with one.open() as again:
        done = again.resume_task(task, fork=True)
        assert done.accepted, done.reason
        first, second = again.session(done.session).attempts[:2]
        (old,), (fork,) = (again.attempt(row.id).conversations for row in (first, second))
        assert (old.reason, fork.reason) == (ConversationReason.FIRST, ConversationReason.FORK)
        assert fork.reported
        assert done.claude_sessions == (old.id, fork.id)
        assert assert_usage_adds_up(again, done.session) == done.usage
        assert first.usage.total_tokens > 0
        asked = [asked for asked in one.theatre.claude.requests if asked.session == fork.id]
        assert asked[0].prompts[0] == one.theatre.claude.requests[0].prompts[0], "a fork knows what was said before it"


# --- other hands ---------------------------------------------------------------------------------


def test_a_held_prompt_is_read_changed_and_sent_from_another_thread(tmp_path):
    house = House(tmp_path, "csv")
    held = {**house.config(), "claude.hold_prompts": True}
    with Obra.open(house.repo, held, attended=True) as obra:
        (task,) = obra.create_tasks(house.plan)
        session = obra.start_milestone_session("CSV")
        with ThreadPoolExecutor(1) as others:
            result = others.submit(obra.execute_task, task, session)
            while not result.done():
                prompt = obra.steering.held_prompt(task)
                if prompt is not None:
                    obra.steering.send_prompt(task, f"{prompt}\n\nBe brief.")
                time.sleep(0.05)
            assert result.result(timeout=90).accepted
        attempt = obra.session(session).attempts[0]
        assert obra.attempt(attempt.id).prompts[0].text.endswith("Be brief.")
        assert obra.permissions.waiting() == obra.permissions.rules() == ()
        with pytest.raises(NotAllowed, match="No change of this plan is left"):
            obra.steering.undo_plan_change(session)
        with pytest.raises(UnknownId):
            obra.steering.interrupt(TaskId("t-none"))
    house.theatre.close()
