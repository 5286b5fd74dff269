"""A judge's record from the tables: what counts as a decided pass, and for whom."""

import json
import time

import pytest
from msgspec.structs import replace

from obra_tui.core.events import VerdictReached, WorkReverted
from obra_tui.core.judging.standing import Level
from obra_tui.core.model import DecisionKind, Reversal
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from tests.store.story import VERDICT, Writer


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request, tmp_path):
    return request.getfixturevalue("postgresql").new_database() if request.param == "postgresql" else tmp_path / "db"


def session(number, kind=DecisionKind.APPROVE, *, score=0.9, digest="sha256:a", reverted=False, by=True, **looked):
    """One task with one attempt, decided."""
    name = f"{number:03}"
    writer = Writer(f"s{name}", 1_000.0 * (number + 1))
    writer.opened(rehearsal=looked.pop("rehearsal", ""))
    writer.task_added(f"t{name}")
    shown = Writer(f"s{name}")
    binding = shown.worked(f"t{name}", f"a{name}", score=score)
    for record in shown.records:
        event = record.event
        if isinstance(event, VerdictReached):
            event = VerdictReached(verdict=replace(VERDICT, identity=replace(VERDICT.identity, digest=digest)))
        writer.add(event, record.task, record.attempt)
    gate = f"g{name}" if by else None
    if gate:
        writer.gate_opened(f"t{name}", f"a{name}", gate, binding)
    writer.decided(f"t{name}", f"a{name}", gate, binding, kind, **{"open_s": 30.0, "own_score": None, **looked})
    if kind is DecisionKind.APPROVE:
        writer.accepted(f"t{name}", f"a{name}")
    if reverted:
        work = Reversal(commit="f" * 40, branch="b", reverted="e" * 40)
        writer.add(WorkReverted(reversal=work, by="person:ada", note="Wrong."), f"t{name}")
    return writer.records


def records(target, *sessions, **asked):
    journal, history = SqlJournal(target), SqlHistory(target)
    try:
        journal.append([record for one in sessions for record in one])
        return history.judge_records(**asked)
    finally:
        journal.close()
        history.close()


def test_approvals_that_looked_are_good_passes_and_everything_else_about_them_is_no_word(target):
    (found,) = records(
        target,
        session(0),
        session(1, DecisionKind.REJECT),
        session(2, open_s=1.0),
        session(3, override=True),
        session(4, score=0.3),
        session(5, by=False),
        session(6, own_score=0.2, open_s=0.0),
    )
    assert (found.record.passes, found.record.false_passes) == (3, 2)
    assert (found.asked, found.digest) == (7, "sha256:a")


def test_reverted_work_is_a_false_pass_whoever_let_it_pass_and_takes_authority(target):
    (found,) = records(target, *(session(number) for number in range(50)), session(50, by=False, reverted=True))
    assert found.standing.level is Level.ADVISES
    assert "reverted" in found.standing.why


def test_fifty_good_passes_give_authority_to_that_model_and_to_no_other(target):
    found = records(target, *(session(number) for number in range(50)), session(50, digest="sha256:b"))
    assert [(item.digest, item.standing.level) for item in found] == [
        ("sha256:b", Level.ADVISES),
        ("sha256:a", Level.PASSES),
    ]


def test_other_projects_and_rehearsals_count_for_themselves_alone(target):
    rehearsed = session(0, rehearsal="calculator")
    assert records(target, rehearsed, session(1), project="/src/other") == ()


def test_rehearsals_have_a_record_of_their_own(target):
    (found,) = records(target, session(0, rehearsal="calculator"), session(1), rehearsal=True)
    assert found.asked == 1


def acknowledge(labels, project):
    """As an earlier version wrote it."""
    with labels.open("a") as file:
        file.write(json.dumps({"at": time.time(), "type": "judge_acknowledged", "project": project}) + "\n")


def test_a_person_who_has_seen_why_authority_was_lost_opens_the_way_back(target, tmp_path):
    journal = SqlJournal(target)
    for one in (session(0, by=False, reverted=True), *(session(number) for number in range(1, 51))):
        journal.append(one)
    history = SqlHistory(target, labels=tmp_path / "labels.jsonl")
    (lost,) = history.judge_records("/src/app")
    assert "obra judge --acknowledge" in lost.standing.needs
    acknowledge(tmp_path / "labels.jsonl", "/src/other")
    assert history.judge_records("/src/app")[0].standing.level is Level.ADVISES
    acknowledge(tmp_path / "labels.jsonl", "/src/app")
    assert history.judge_records("/src/app")[0].standing.level is Level.PASSES
    history.close()
    journal.close()
