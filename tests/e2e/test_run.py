"""`obra run` on a repository of the person's own, with rehearsal servers that the test starts."""

import signal
import subprocess
import sys
import time

import pytest

from obra_tui.rehearsal import Fault, FaultKind, RehearsalServers, Subscription, materialise
from tests.e2e.obra import environment, git, obra, processes_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


@pytest.fixture
def stage(request):
    """One attempt is enough for most; a test that wants another scenario names it."""
    with RehearsalServers.open(getattr(request, "param", "csv"), pace=0) as opened:
        yield opened


@pytest.fixture
def place(stage, tmp_path):
    """A home, a repository and the environment that points at the loopback servers."""
    repo = materialise(stage.scenario, tmp_path / "repo")
    home = tmp_path / "home"
    home.mkdir()
    config = home / "claude"
    env = {
        "OBRA_CLAUDE__BASE_URL": stage.claude_base_url,
        "OBRA_CLAUDE__API_KEY": "dummy",
        "OBRA_CLAUDE__CONFIG_DIR": str(config),
        "OBRA_CLAUDE__MAX_RETRIES": "0",
        "OBRA_JUDGE__BASE_URL": stage.judge_base_url,
        "OBRA_JUDGE__MODEL": stage.judge_model,
        "OBRA_GATE__POLICY": "autonomous",
    }
    return home, repo, env


def run(place, *args, **more):
    home, repo, env = place
    return obra(home, "run", *args, "--headless", "--json", "-C", str(repo), **{**env, **more})


def plan(stage):
    return str(stage.scenario.plan)


@pytest.mark.parametrize("stage", ["calculator"], indirect=True)
def test_checks_are_found_by_looking_at_the_project(place, stage):
    ran = run(place, plan(stage))
    assert ran.code == 0, ran.err
    names = [check["name"] for check in ran.of("checks_planned")[0]["checks"]]
    assert "pytest" in names
    assert [gate["passes_gate"] for gate in ran.of("gate")] == [False, True]
    assert ran.of("session_opened")[0]["rehearsal"] == ""


def test_one_task_makes_and_closes_a_session_of_its_own(place, stage):
    ran = run(place, "--task", "Report on the people in the CSV file\n\nAs one JSON object.")
    assert ran.code == 0, ran.err
    assert ran.of("session_opened")[0]["kind"] == "standalone"
    assert len(ran.of("session_closed")) == 1


def test_the_second_dialect_judges_the_same(place, stage):
    ran = run(place, plan(stage), OBRA_JUDGE__DIALECT="openai")
    assert ran.code == 0, ran.err
    assert ran.of("judge_started")[0]["identity"]["dialect"] == "openai"


def test_a_judge_that_is_down_leaves_the_decision_to_a_person_and_the_checks_count(place, stage):
    with stage.judge.down():
        ran = run(place, plan(stage), OBRA_GATE__MAX_ATTEMPTS="2", OBRA_JUDGE__DEADLINE_S="2")
    assert (ran.code, ran.summary["waiting"]) == (5, 1)
    last = ran.of("gate")[-1]
    assert last["stage_scores"]["testing"] is not None
    assert last["stage_scores"]["quality"] is None
    assert any("Not judged" in reason for reason in last["reasons"])


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.HALF_JSON,
        pytest.param(FaultKind.GARBAGE, marks=pytest.mark.long),
        pytest.param(FaultKind.SCORE_101, marks=pytest.mark.long),
    ],
)
def test_a_judge_that_answers_nonsense_is_no_judge(place, stage, kind):
    stage.judge.faults.add(Fault(kind=kind, times=100))
    ran = run(place, plan(stage))
    assert ran.code == 5, ran.out[-2000:]
    assert ran.summary["accepted"] == 0


def test_a_wrong_key_is_said_plainly_and_costs_no_attempt(place, stage):
    stage.claude.faults.add(Fault(kind=FaultKind.HTTP, status=401, times=100))
    ran = run(place, plan(stage))
    assert (ran.code, ran.summary["attempts"], ran.summary["interrupted"]) == (4, 0, 1)
    (problem,) = ran.of("problem_raised")
    assert problem["code"] == "auth"
    assert "key" in (problem["text"] + problem["fix"]).lower()


def test_a_refused_connection_is_said_plainly_and_costs_no_attempt(place, stage):
    with stage.claude.down():
        ran = run(place, plan(stage))
    assert (ran.code, ran.summary["attempts"], ran.summary["interrupted"]) == (1, 0, 1)
    assert ran.of("problem_raised")[0]["code"] == "unreachable"


def test_the_rehearsal_is_not_sent_through_a_proxy_that_leads_nowhere(place, stage):
    ran = run(place, plan(stage), HTTP_PROXY="http://127.0.0.1:9", HTTPS_PROXY="http://127.0.0.1:9", ALL_PROXY="")
    assert ran.code == 0, ran.err + ran.out[-2000:]


def test_a_usage_limit_that_is_too_far_away_ends_the_run_with_its_own_code(tmp_path):
    with RehearsalServers.open("calculator", pace=0, subscription=Subscription()) as stage:
        stage.claude.faults.add(Fault(kind=FaultKind.LIMITED, seconds=7200, times=100))
        repo = materialise(stage.scenario, tmp_path / "repo")
        home = tmp_path / "home"
        home.mkdir()
        ran = obra(
            home, "run", plan(stage), "--headless", "--json", "-C", str(repo),
            OBRA_CLAUDE__BASE_URL=stage.claude_base_url,
            OBRA_CLAUDE__API_KEY="dummy",
            OBRA_CLAUDE__CONFIG_DIR=str(home / "claude"),
            OBRA_CLAUDE__MAX_RETRIES="0",
            OBRA_CLAUDE__WAIT_FOR_LIMIT_S="1",
            OBRA_JUDGE__BASE_URL=stage.judge_base_url,
        )  # fmt: skip
    assert (ran.code, ran.summary["attempts"]) == (6, 0), ran.out[-2000:]


def test_a_project_without_checks_says_so_and_asks_the_person(tmp_path, stage):
    repo = tmp_path / "bare"
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main")
    (repo / "README.md").write_text("# nothing to check\n")
    git(repo, "add", "-A")
    git(repo, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "start")
    home = tmp_path / "home"
    home.mkdir()
    task = tmp_path / "plan.md"
    task.write_text("- [ ] Write notes\n  Write notes.txt. [[script:nothing-of-the-kind]]\n")
    ran = obra(
        home, "run", str(task), "--headless", "--json", "-C", str(repo),
        OBRA_CLAUDE__BASE_URL=stage.claude_base_url, OBRA_CLAUDE__API_KEY="dummy",
        OBRA_CLAUDE__CONFIG_DIR=str(home / "claude"), OBRA_JUDGE__BASE_URL=stage.judge_base_url,
        OBRA_GATE__POLICY="autonomous",
    )  # fmt: skip
    assert ran.code == 3
    assert ran.of("checks_planned")[0]["checks"] == []
    assert "no check" in ran.of("checks_planned")[0]["note"]


def test_ctrl_c_stops_within_two_seconds_keeps_the_work_and_resume_goes_on(tmp_path):
    with RehearsalServers.open("csv", pace=0) as stage:
        stage.claude.faults.add(Fault(kind=FaultKind.HANG, skip=1, seconds=60))
        repo = materialise(stage.scenario, tmp_path / "repo")
        home = tmp_path / "home"
        (home / "tmp").mkdir(parents=True)
        env = environment(
            home,
            OBRA_CLAUDE__BASE_URL=stage.claude_base_url,
            OBRA_CLAUDE__API_KEY="dummy",
            OBRA_CLAUDE__CONFIG_DIR=str(home / "claude"),
            OBRA_JUDGE__BASE_URL=stage.judge_base_url,
            OBRA_JUDGE__MODEL=stage.judge_model,
            OBRA_GATE__POLICY="autonomous",
        )
        command = [sys.executable, "-m", "obra_tui", "run", plan(stage), "--headless", "-C", str(repo)]
        running = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        stage.claude.wait_for_requests(2, timeout=60)
        asked = time.monotonic()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
        took = time.monotonic() - asked
        assert running.returncode == 130, err
        assert "the work is kept" in out
        assert processes_of(home) == []
        assert took < 10, "generous: the promise of 2 s is measured in benchmarks, not here"
        session = next(word for word in out.split() if word.startswith("s1"))
        again = obra(
            home, "run", "--resume", session, "--headless", "--json", "-C", str(repo),
            **{name: value for name, value in env.items() if name.startswith("OBRA_")},
        )  # fmt: skip
        assert again.code == 0, again.err + again.out[-3000:]
        assert again.of("attempt_started")[-1]["reason"] in ("resume", "first")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("run", "nowhere.md"), "cannot be read"),
        (("run", "--task", "x", "--resume", "s1"), "given together"),
        (("run", "--fork"), "--resume"),
        (("demo", "nosuch"), "There is no scenario"),
        (("review", "gnope"), "no session yet"),
        (("run",), "No plan was given"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_two(place, args, words):
    home, repo, env = place
    ran = obra(home, *args, cwd=repo, **env)
    assert ran.code == 2
    assert words in ran.err
    assert "Traceback" not in ran.err
    assert len(ran.err.strip().splitlines()) == 1
