"""`obra permissions` and `obra steer`, on sessions as the records tell them; what runs is tested end to end."""

import json

import pytest
from msgspec.structs import replace

from obra_tui.cli.permissions import Answering, _list, _one_of
from obra_tui.cli.steer import SteerOptions, _find
from obra_tui.core import commands as do
from obra_tui.core.errors import ConfigError, UnknownId
from obra_tui.core.events import PermissionAsked, RuleAllowed
from obra_tui.core.ids import QuestionId
from obra_tui.core.model import PermissionAnswer, PermissionKind, PermissionQuestion, PermissionVerdict
from obra_tui.core.permission_rules import permissions_of
from obra_tui.engine.work import rebuild
from obra_tui.services.open_work import OpenWork
from tests.fakes.implementer import Play
from tests.scenarios.world import ME, World, task


def question(name, **fields):
    given = {"kind": PermissionKind.TOOL, "tool": "Bash", "title": "make all", "detail": "make all", **fields}
    return PermissionQuestion(id=QuestionId(name), **given)


def as_stored(world, *, at_work=True):
    records = world.journal.session_records(world.session)
    sessions = {world.session: rebuild(world.session, records)}
    return OpenWork(sessions=sessions, permissions=permissions_of(records), at_work=at_work)


async def asking(tmp_path):
    """One rule is made, and one question waits."""
    first = question("q1", session_rule="Bash(make:*)", dangers=("deletes files: build",), why="No rule allows `make`.")
    second = question("q2", kind=PermissionKind.QUESTION, tool="AskUserQuestion", title="Which?", options=("a", "b"))
    world = World(tmp_path, plays=(Play(asks=(first, second)),))
    await world.run(task("T001"), task("T002", depends_on=("T001",)))
    await world.until(PermissionAsked)
    before = as_stored(world)
    answer = PermissionAnswer(verdict=PermissionVerdict.SESSION, by=ME)
    await world.do(do.AnswerPermission(question=QuestionId("q1"), answer=answer))
    await world.until(RuleAllowed)
    await world.until(PermissionAsked, 2)
    return before, as_stored(world)


async def test_a_question_is_listed_with_its_reason_its_marks_and_the_ways_to_answer(tmp_path, capsys):
    before, after = await asking(tmp_path)
    assert _list(before, as_json=False) == 0
    shown = capsys.readouterr().out
    for part in ("q1  T001  Bash  make all", "why: No rule allows", "! deletes files: build", "--for-session q1"):
        assert part in shown
    _list(after, as_json=False)
    shown = capsys.readouterr().out
    assert "- b" in shown and "--reply q2" in shown
    assert "Bash(make:*)  since" in shown and "by ada, not used yet" in shown


async def test_the_list_as_json_is_one_object_a_line(tmp_path, capsys):
    _, after = await asking(tmp_path)
    _list(after, as_json=True)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [item["type"] for item in told] == ["waiting_question", "standing_rule"]
    assert told[0]["question"]["options"] == ["a", "b"] and told[0]["can_be_answered"]


def test_nothing_to_list_says_so(capsys):
    _list(OpenWork(sessions={}, permissions=permissions_of(()), at_work=False), as_json=False)
    assert capsys.readouterr().out == "Nothing is asked, and no rule was made.\n"


async def test_sessions_that_have_ended_are_listed_when_they_are_asked_for(tmp_path, capsys):
    _, after = await asking(tmp_path)
    ended = after.permissions
    nobody = next(iter(ended.waiting.values()))
    over = OpenWork(
        sessions={},
        permissions=permissions_of(()),
        at_work=False,
        ended=after.sessions,
        ended_permissions=replace(ended, waiting={}, denied=(nobody,)),
    )
    _list(over, as_json=False)
    shown = capsys.readouterr().out
    assert "Allowed in sessions that have ended:" in shown and "by ada, until the session ended, never used" in shown
    assert "T001  Which?" in shown
    _list(over, as_json=True)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(item["type"], item.get("ended")) for item in told] == [("ended_rule", None), ("denied_question", True)]


@pytest.mark.parametrize(
    ("answering", "said"),
    [
        (Answering(allow="q1", deny="q1"), "More than one answer"),
        (Answering(revoke="r1", allow="q1"), "More than one answer"),
        (Answering(reply="q1"), "no words"),
    ],
)
def test_two_answers_at_once_and_answers_without_words_are_refused(answering, said):
    with pytest.raises(ConfigError, match=said):
        answering.chosen()


def test_an_id_may_be_shortened_while_only_one_fits():
    known = ["q0001aaaa", "q0001bbbb"]
    assert _one_of(known, "q0001b", "question") == _one_of(known, "bbbb", "question") == "q0001bbbb"
    with pytest.raises(UnknownId, match="may be q0001aaaa, q0001bbbb"):
        _one_of(known, "q0001", "question")
    with pytest.raises(UnknownId, match="no open question zzz"):
        _one_of(known, "zzz", "question")


@pytest.mark.parametrize(
    "steering", [SteerOptions(), SteerOptions(pause=True, resume=True), SteerOptions(text="x", interrupt=True)]
)
def test_exactly_one_thing_is_asked_for_at_a_time(steering):
    with pytest.raises(ConfigError, match="asked for"):
        steering.refuse_several()


async def test_a_task_is_named_by_key_or_id_or_is_the_one_that_was_started(tmp_path):
    _, work = await asking(tmp_path)
    assert _find(work, "")[1].spec.key == "T001"
    assert _find(work, "T002")[1].spec.key == "T002"
    assert _find(work, _find(work, "T002")[1].spec.id)[1].spec.key == "T002"
    with pytest.raises(UnknownId, match="no open task T009"):
        _find(work, "T009")
