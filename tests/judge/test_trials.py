"""Judges asked about past work, by the command line and a model server: nothing is run anew, nothing old changes."""

import json
import subprocess

import pytest

from obra_tui.core.events import VerdictReached
from obra_tui.rehearsal.ollama_server import MODEL, OllamaServer
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from tests.e2e.obra import obra
from tests.judge.past import task


class Desk:
    """A project with past work, and a model server that answers on loopback."""

    def __init__(self, home, server, tasks=6, **fields):
        self.home, self.server = home, server
        self.project = home / "project"
        self.project.mkdir(parents=True)
        for words in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "Begin"]):
            identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
            subprocess.run(["git", *identity, *words], cwd=self.project, check=True)
        journal = SqlJournal(home / "data" / "obra.db")
        for number in range(tasks):
            journal.append(task(number, project=self.project, **fields))
        journal.close()

    def run(self, *words, code=0):
        done = obra(
            self.home, "judge", *words, cwd=self.project, OBRA_JUDGE__BASE_URL=self.server.url, OBRA_JUDGE__MODEL=MODEL
        )
        assert done.code == code, (done.out, done.err)
        return done

    @property
    def history(self):
        return SqlHistory(self.home / "data" / "obra.db")

    def attempts(self):
        return [self.history.attempt(work.attempt) for work in self.history.past_work(str(self.project))]


@pytest.fixture
def server():
    with OllamaServer(pace=0) as running:
        yield running


@pytest.fixture
def desk(tmp_path, server):
    return Desk(tmp_path, server)


def test_a_judge_is_asked_about_failed_and_accepted_work_and_only_answers_are_new(desk):
    before = [detail.verdict for detail in desk.attempts()]
    done = desk.run("eval", "--set", "all", "--yes", "--json")
    (cost,) = done.of("cost")
    trials = done.of("trial")
    assert cost["calls"] == len(trials) == 18  # six failed, six accepted, six under another task
    assert {(item["source"], item["truth"]) for item in trials} == {
        ("attempt_failed", "bad"),
        ("accepted", "good"),
        ("wrong_task", "bad"),
    }
    assert [detail.verdict for detail in desk.attempts()] == before
    book = desk.history.judge_book(str(desk.project))
    assert len(book.trials) == 18
    (record,) = [item for item in desk.history.judge_records(str(desk.project)) if item.model == MODEL]
    assert record.answers.exam.pairs == 6
    assert record.version == trials[0]["version"]


def test_nothing_in_the_prompt_tells_a_failed_attempt_from_any_other(desk, server):
    desk.run("eval", "--set", "all", "--kind", "attempt_failed", "--yes")
    prompts = [request.prompt for request in server.requests]
    assert len(prompts) == 6
    for prompt in prompts:
        assert "number / 3" in prompt
        assert "FAILED" not in prompt
        assert "test_new.py" not in prompt
        assert "assert 2.0" not in prompt


def test_the_cost_comes_first_and_nobody_is_asked_without_a_yes(desk, server):
    done = desk.run("eval", code=2)
    assert "calls of" in done.out
    assert "--yes" in done.err
    assert server.requests == ()


def test_what_was_answered_is_not_asked_again_and_repeats_are_counted_as_such(desk, server):
    desk.run("eval", "--set", "all", "--kind", "accepted", "--yes")
    assert "No case is left" in desk.run("eval", "--set", "all", "--kind", "accepted", "--yes").out
    desk.run("eval", "--set", "all", "--kind", "accepted", "--again", "--yes")
    (record,) = [item for item in desk.history.judge_records(str(desk.project)) if item.model == MODEL]
    assert (record.answers.good, record.answers.repeats, record.answers.flips) == (6, 6, 0)


def test_another_rubric_is_another_judge_and_the_two_are_compared_case_by_case(desk, tmp_path):
    from importlib.resources import files

    text = files("obra_tui.judge").joinpath("rubric.toml").read_text()
    other = tmp_path / "mine.toml"
    other.write_text(text.replace("obra-review", "stricter"))
    desk.run("eval", "--set", "all", "--yes")
    desk.run("eval", "--set", "all", "--rubric", str(other), "--yes")
    versions = {trial.rubric: trial.version for _, trial in desk.history.judge_book(str(desk.project)).trials}
    assert len(set(versions.values())) == 2
    first, second = versions.values()
    done = desk.run("compare", first, second)
    assert "no difference shown (McNemar p = 1.000)" in done.out
    assert "could be several judges" in desk.run("compare", MODEL, second, code=2).err


def test_a_broken_rubric_is_refused_before_anything_is_asked(desk, tmp_path, server):
    (tmp_path / "bad.toml").write_text("name = 'x'\n")
    assert "The rubric cannot be read" in desk.run("eval", "--rubric", str(tmp_path / "bad.toml"), "--yes", code=2).err
    assert server.requests == ()


def test_a_fault_that_was_found_later_is_a_false_pass_and_a_case(desk):
    (attempt,) = [work.attempt for work in desk.history.past_work(str(desk.project)) if work.attempt == "a000-2"]
    desk.run("miss", attempt, "--file", "halves_0.py:3", "--note", "Odd numbers.")
    told = json.loads(desk.run("--json").out.splitlines()[0])
    assert told["passes"] == 0 and "reverted" in told["why"]
    cases = [json.loads(line) for line in desk.run("cases", "--json").out.splitlines()]
    (case,) = [item for item in cases if item["source"] == "reverted"]
    assert (case["attempt"], case["file"], case["line"], case["strength"]) == ("a000-2", "halves_0.py", 3, "A")


def test_an_audit_shows_unseen_work_without_the_verdict_and_its_answer_counts(tmp_path, server):
    desk = Desk(tmp_path, server, tasks=3, by=False, failed_first=False)
    shown = desk.run("audit").out
    assert "audit 1 of 3" in shown and "number / 2" in shown
    assert "Quality" not in shown and "0.9" not in shown and "approve" not in shown
    attempt = json.loads(desk.run("audit", "--json").out)["attempt"]
    desk.run("label", attempt, "good", "--blind")
    assert json.loads(desk.run("--json").out.splitlines()[0])["passes"] == 1
    assert json.loads(desk.run("audit", "--json").out)["due"] == 2


def test_a_set_from_elsewhere_can_be_asked_about_and_earns_nothing(desk, tmp_path, server):
    there = tmp_path / "set.jsonl"
    desk.run("export", str(there), "--with-code")
    other = Desk(tmp_path / "other", server, tasks=0)
    trial = json.dumps({"type": "trial", "case": "x", "passes": True})
    there.write_text(there.read_text() + trial + "\n")
    done = other.run("import", str(there))
    assert "18 cases taken in without proof" in done.out
    assert "left out: 1 answers of judges" in done.out
    other.run("eval", "--set", "all", "--yes")
    (record,) = other.history.judge_records(str(other.project))
    assert record.answers.trials > 0
    assert record.answers.exam.pairs == 0


def test_a_set_that_is_none_is_refused_with_its_line(desk, tmp_path):
    (tmp_path / "set.jsonl").write_text('{"type": "judge_case", "truth": "good", "title": "x", "diff": {"patch": 3}}\n')
    assert "Line 1 is no case" in desk.run("import", str(tmp_path / "set.jsonl"), code=2).err


def test_old_verdicts_are_stored_as_they_were(desk):
    desk.run("eval", "--set", "all", "--limit", "2", "--yes")
    records = desk.history.session_records(desk.history.sessions().rows[0].id)
    assert [record.event.verdict.identity.model for record in records if isinstance(record.event, VerdictReached)] == [
        "qwen",
        "qwen",
    ]
