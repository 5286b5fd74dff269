"""The Judge screen: what is known of each judge, and audits that are answered without the verdict."""

import pytest

from obra_tui.core.commands import RecordJudging
from obra_tui.core.events import CaseKept, StandingChanged, TrialDone, WorkLabelled
from obra_tui.core.model import CaseSource, JudgeCase, JudgeIdentity, Trial, Truth
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from tests.judge.past import task
from tests.store.test_judge_cases import said
from tests.ui.stage import Stage, settled

PROJECT = "/home/ada/calc"
QWEN = JudgeIdentity(model="qwen", digest="sha256:6a1bdeadbeef")


@pytest.fixture
def history(tmp_path):
    journal = SqlJournal(tmp_path / "data" / "obra.db")
    for number in range(3):
        journal.append(task(number, project=PROJECT, identity=QWEN))
    for number in range(3, 5):
        journal.append(task(number, project=PROJECT, identity=QWEN, by=False, failed_first=False))
    cases = [
        JudgeCase(
            id=f"c{number}",
            source=CaseSource.PLANTED,
            truth=Truth.BAD,
            strength="A",
            base=str(number),
            kind="comparison",
        )
        for number in range(6)
    ]
    trials = [TrialDone(trial=Trial(case=case.id, version=QWEN.version, model="qwen", passes=True)) for case in cases]
    lost = StandingChanged(version=QWEN.version, model="qwen", before=4, after=1, why="an accepted change was reverted")
    journal.append(said("p1", *(CaseKept(case=case) for case in cases), *trials, lost, project=PROJECT))
    journal.close()
    opened = SqlHistory(tmp_path / "data" / "obra.db")
    yield opened
    opened.close()


async def test_seven_shows_standing_curve_faults_by_kind_and_how_authority_was_lost(history):
    stage = Stage(history=history)
    async with stage.open(size=(150, 45)) as pilot:
        await stage.press(pilot, "7")
        await settled(pilot, lambda: "0 of 3 false passes, too few to say" in stage.text())
        text = stage.text()
        assert "needs: 47 more decided passes without a false one" in text
        assert "3 of 3 good, too few to say" in text
        assert "comparison" in text and "0 0 6" in text and "blind" in text
        assert "lost: may advise" in text
        assert "Audits to do (2)" in text


async def test_an_audit_shows_the_work_and_not_the_verdict_and_the_answer_is_sent(history):
    stage = Stage(history=history)
    async with stage.open(size=(150, 45)) as pilot:
        await stage.press(pilot, "7")
        await settled(pilot, lambda: "Audits to do (2)" in stage.text())
        await settled(pilot, lambda: "too few to say" in stage.text())
        await stage.press(pilot, "j", "j")
        await settled(pilot, lambda: "Nobody has looked at it" in stage.text())
        await settled(pilot, lambda: "number / 2" in stage.text())
        assert "Good work" in stage.text()
        await stage.press(pilot, "g")
        (sent,) = [item for item in stage.engine.submitted if isinstance(item, RecordJudging)]
        (label,) = sent.events
        assert isinstance(label, WorkLabelled)
        assert (label.truth, label.blind, label.by) == (Truth.GOOD, True, "person:ada")


async def test_there_is_no_answer_where_no_audit_is_chosen(history):
    stage = Stage(history=history)
    async with stage.open(size=(150, 45)) as pilot:
        await stage.press(pilot, "7")
        await settled(pilot, lambda: "Audits to do (2)" in stage.text())
        await stage.press(pilot, "g", "b")
        assert not [item for item in stage.engine.submitted if isinstance(item, RecordJudging)]


async def test_it_fits_into_a_small_terminal(history):
    stage = Stage(history=history)
    async with stage.open(size=(80, 24)) as pilot:
        await stage.press(pilot, "7")
        await settled(pilot, lambda: "Audits to do (2)" in stage.text() and "qwen" in stage.text())
