"""Labels, trials and the order of the journal in a judge's record."""

import pytest

from obra_tui.core.events import (
    CaseKept,
    CaseRetired,
    JudgeAcknowledged,
    SessionClosed,
    SessionOpened,
    StandingChanged,
    TrialDone,
    WorkLabelled,
)
from obra_tui.core.judging.standing import Level
from obra_tui.core.model import CaseSource, JudgeCase, Policy, SessionKind, Trial, Truth
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from tests.store.story import Writer
from tests.store.test_judge_record import session


@pytest.fixture
def store(tmp_path):
    journal, history = SqlJournal(tmp_path / "data" / "db"), SqlHistory(tmp_path / "data" / "db")
    yield journal, history
    history.close()
    journal.close()


def said(name, *events, at=1_000.0, project="/src/app"):
    writer = Writer(name, at)
    writer.add(
        SessionOpened(
            kind=SessionKind.PROBING,
            title="Judge",
            project=project,
            branch="",
            base_commit="",
            policy=Policy.AUTONOMOUS,
            threshold=0.7,
            max_attempts=3,
        )
    )
    for event in (*events, SessionClosed()):
        writer.add(event)
    return writer.records


def label(number, truth, *, blind=False):
    return WorkLabelled(of=f"a{number:03}", truth=truth, by="person:ada", blind=blind)


def write(journal, *sessions):
    for records in sessions:
        journal.append(records)


def test_an_audit_of_work_that_passed_by_policy_is_a_decided_pass(store):
    journal, history = store
    write(journal, session(0, by=False), session(1, by=False), said("p1", label(0, Truth.GOOD, blind=True)))
    write(journal, said("p2", label(1, Truth.BAD, blind=True)))
    (found,) = history.judge_records("/src/app")
    assert (found.record.passes, found.record.false_passes) == (2, 1)


def test_a_fault_found_later_takes_authority_until_it_is_acknowledged(store):
    journal, history = store
    write(journal, *(session(number) for number in range(55)))
    assert history.judge_records("/src/app")[0].standing.level is Level.PASSES
    write(journal, said("p1", label(3, Truth.BAD)))
    (lost,) = history.judge_records("/src/app")
    assert lost.standing.level is Level.ADVISES
    assert "obra judge --acknowledge" in lost.standing.needs
    write(journal, said("p2", JudgeAcknowledged(by="person:ada")))
    write(journal, *(session(number) for number in range(60, 110)))
    assert history.judge_records("/src/app")[0].standing.level is Level.PASSES


def test_what_was_called_bad_stays_bad_whatever_is_said_afterwards(store):
    journal, history = store
    write(journal, session(0, by=False), said("p1", label(0, Truth.BAD)), said("p2", label(0, Truth.GOOD)))
    (found,) = history.judge_records("/src/app")
    assert found.standing.level is Level.ADVISES
    assert "reverted" in found.standing.why


def test_a_clock_that_was_set_back_changes_no_order_and_is_said(store):
    journal, history = store
    write(journal, *(session(number) for number in range(10, 65)))
    write(journal, session(0, by=False, reverted=True))  # written last, with the earliest time
    (found,) = history.judge_records("/src/app")
    assert found.standing.level is Level.ADVISES
    assert "the clock was set back" in found.remark


def test_an_acknowledgement_with_a_later_time_does_not_cover_what_is_written_after_it(store):
    journal, history = store
    write(journal, *(session(number) for number in range(51)))
    write(journal, said("p1", JudgeAcknowledged(by="person:ada"), at=9e9))
    write(journal, session(60, by=False, reverted=True))
    assert "acknowledge" in history.judge_records("/src/app")[0].standing.needs


def test_trials_make_an_exam_and_a_retired_case_leaves_it(store):
    journal, history = store
    cases = [JudgeCase(id="g", source=CaseSource.ACCEPTED, truth=Truth.GOOD, strength="C", base="1")]
    cases += [JudgeCase(id="b", source=CaseSource.PLANTED, truth=Truth.BAD, strength="A", base="1")]
    trials = [TrialDone(trial=Trial(case=name, version="v", model="qwen", passes=name == "g")) for name in "gb"]
    write(journal, said("p1", *(CaseKept(case=case) for case in cases), *trials))
    (found,) = history.judge_records("/src/app")
    assert (found.answers.exam.pairs, found.answers.exam.only_right) == (1, 1)
    assert history.judge_records("/src/other") == ()
    write(journal, said("p2", CaseRetired(case="b", reason="The test was flaky.")))
    assert history.judge_records("/src/app")[0].answers.exam.pairs == 0


def test_what_was_told_last_is_remembered(store):
    journal, history = store
    write(journal, session(0))
    (before,) = history.judge_records("/src/app")
    change = StandingChanged(version=before.version, model="qwen", before=1, after=0, why="blind")
    write(journal, said("p1", change))
    assert (before.told, history.judge_records("/src/app")[0].told) == (1, 0)


def test_no_list_of_sessions_shows_what_was_written_about_the_judge(store):
    journal, history = store
    write(journal, session(0), said("p1", label(0, Truth.GOOD)))
    assert [item.id for item in history.sessions().rows] == ["s000"]
