"""History that a real rehearsal wrote: found, shown, compared, measured, exported, kept and brought back."""

import csv
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from html.parser import HTMLParser
from unittest import mock

import pytest

from obra_tui.config.load import load
from obra_tui.core.events import STREAMED
from obra_tui.core.lifecycle import State
from obra_tui.services.history_archive import HistoryArchive
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from obra_tui.ui.screens.live.player import Player
from obra_tui.ui.state import ViewState, apply_all
from tests.e2e.obra import Ran, environment, git
from tests.e2e.obra import obra as process
from tests.ui.stage import Stage, settled

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

SECRET = "ghp_" + "a1B2" * 9


def obra(home, *args):
    """Run a command in this process, in the environment of its own home: reading needs no process of its own."""
    from obra_tui.cli.entry import run

    out, err = io.StringIO(), io.StringIO()
    with mock.patch.dict(os.environ, environment(home), clear=True), redirect_stdout(out), redirect_stderr(err):
        code = run(list(args))
    events = [json.loads(line) for line in out.getvalue().splitlines()] if "--json" in args else []
    return Ran(code, out.getvalue(), err.getvalue(), events)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """One calculator rehearsal: two attempts, the first fails, the second is accepted."""
    home = tmp_path_factory.mktemp("hist")
    ran = process(home, "demo", "--headless", "--json", "--pace", "0")
    assert ran.code == 0, ran.err
    return home


def found(home, *line):
    ran = obra(home, "search", "--json", *line)
    assert ran.code == 0, ran.err
    return ran.events


@pytest.fixture(scope="module")
def attempts(home):
    """Ids of the first and the second attempt."""
    newest = [row["attempt"] for row in found(home)]
    return newest[1]["id"], newest[0]["id"]


@pytest.fixture
def copy(home, tmp_path):
    """The same history in a home of its own, to be changed."""
    shutil.copytree(home / "data", tmp_path / "home" / "data", ignore=shutil.ignore_patterns("copies", "rehearsals"))
    return tmp_path / "home"


def test_words_are_found_in_diffs_checks_prompts_and_findings_newest_first(home):
    hits = found(home, "divide", "--limit", "100")
    assert {"diff_taken", "check_finished", "prompt_sent", "gate_judged"} <= {row["hit"]["kind"] for row in hits}
    assert [row["at"] for row in hits] == sorted((row["at"] for row in hits), reverse=True)
    assert all("divi" in row["hit"]["line"].lower() for row in hits)


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("is:accepted", [2]),
        ("verdict:fail", [1]),
        ("score:<80", [1]),
        ("-score:<80", [2]),
        ("check:tests=fail", [1]),
        ("file:calculator.py is:rehearsal", [2, 1]),
        ("by:policy", [2]),
        ("-is:rehearsal", []),
        ("since:1h task:T001", [2, 1]),
        ("cost:>100", []),
        ('-"Both findings"', [1]),
        ('"""', [2, 1]),
        ("model:rehearsal-qwen attempts:1", [1]),
    ],
)
def test_clauses_narrow_the_attempts(home, line, numbers):
    assert [row["attempt"]["number"] for row in found(home, *line.split(" "))] == numbers


def test_the_search_says_how_it_was_read(home):
    ran = obra(home, "search", "divide score:<80 score:abc")
    assert ran.err.startswith('read as: with "divide…" and with "score:abc…" and score below 0.80 (score:abc')


def test_show_gives_the_evidence_and_the_diff_of_an_attempt_by_the_beginning_of_its_id(home, attempts):
    ran = obra(home, "show", attempts[0])
    assert "Quality: 0." in ran.out and "(FAIL)" in ran.out
    assert "check    tests: failed (exit 1)" in ran.out
    assert "+def divide" in ran.out
    detail = obra(home, "show", attempts[1], "--json").events[0]
    assert detail["type"] == "attempt_detail"
    assert detail["label"]["label"] == "approve"


def test_compare_tells_what_was_fixed_and_what_really_differs(home, attempts):
    ran = obra(home, "compare", *attempts, "--json").events[0]
    assert [f["message"] for f in ran["fixed"]] and not ran["new"] and not ran["still"]
    numbers = {item["name"]: item for item in ran["numbers"]}
    assert numbers["overall"]["b"] > numbers["overall"]["a"]
    assert "-    return a / b if b else 0.0" in ran["diff"]
    assert ran["warnings"] == []
    assert "fixed" in obra(home, "compare", *attempts).out


def test_a_blind_comparison_hides_scores_and_names(home, attempts):
    blind = obra(home, "compare", *attempts, "--blind", "--json").events[0]
    assert {item["name"] for item in blind["numbers"]} == {
        "checks passed",
        "files",
        "lines added",
        "lines removed",
        "findings",
    }
    assert (blind["a"], blind["fixed"]) == ("A", [])


def test_every_figure_is_what_its_sql_gives(home):
    database = sqlite3.connect(f"file:{home / 'data' / 'obra.db'}?mode=ro", uri=True)
    figures = obra(home, "metrics", "--rehearsal", "--json").events
    assert {f["name"]: f["value"] for f in figures} | {"attempts": 2, "tasks": 1, "accepted": 1, "pass_rate": 0.5} == {
        f["name"]: f["value"] for f in figures
    }
    for figure in figures:
        rows = database.execute(figure["sql"]).fetchall()
        if figure["unit"] == "share":
            assert [(row[1] or 0, row[2]) for row in rows] in ([(figure["hits"], figure["of"])], [])
        elif figure["unit"] != "kappa":
            assert [row[1] for row in rows] in ([figure["value"]], [])
    pass_rate = next(f for f in figures if f["name"] == "pass_rate")
    assert pass_rate["interval"][0] < 0.5 < pass_rate["interval"][1]


def test_rehearsals_do_not_count_unless_they_are_asked_for(home):
    assert {f["value"] for f in obra(home, "metrics", "--json").events} <= {0, None}


def test_metrics_by_day_as_csv(home):
    rows = list(csv.reader(io.StringIO(obra(home, "metrics", "--rehearsal", "--by", "day", "--csv").out)))
    assert rows[0][:3] == ["group", "figure", "value"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", rows[1][0])


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def test_html_is_one_page_without_script_or_anything_to_load(home, attempts, tmp_path):
    target = tmp_path / "page.html"
    assert obra(home, "export", attempts[1], "--format", "html", "--to", str(target)).code == 0
    page = Tags()
    page.feed(target.read_text())
    tags = {tag for tag, _ in page.seen}
    assert not tags & {"script", "link", "img", "iframe", "a"}
    assert not [
        attrs for _, attrs in page.seen if any(name.startswith("on") or name in ("src", "href") for name in attrs)
    ]
    assert "default-src 'none'" in target.read_text()
    assert obra(home, "export", attempts[1], "--format", "html", "--to", str(target)).code == 1


def test_the_exported_patch_applies_and_passes_the_projects_tests(home, attempts, tmp_path):
    (rehearsed,) = (home / "data" / "rehearsals").iterdir()
    git(tmp_path, "clone", "-q", str(rehearsed), "fresh")
    patch = obra(home, "export", attempts[1], "--format", "patch").out
    subprocess.run(["git", "apply", "-"], input=patch, text=True, cwd=tmp_path / "fresh", check=True)
    assert "def divide" in (tmp_path / "fresh" / "calculator.py").read_text()


def test_json_lines_hold_every_record_of_the_session(home):
    session = obra(home, "history", "--json").events[0]["id"]
    lines = [json.loads(line) for line in obra(home, "export", session, "--format", "jsonl").out.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert (lines[0]["type"], lines[-1]["type"]) == ("session_opened", "session_closed")


def test_decisions_are_a_labelled_set(home):
    (line,) = [json.loads(line) for line in obra(home, "export", "decisions").out.splitlines()]
    assert (line["label"], line["by"], line["judge"]["model"]) == ("approve", "policy", "rehearsal-qwen")
    assert line["patch"] and line["acceptance"]


def test_replay_tells_the_same_gates_again(home):
    session = obra(home, "history", "--json").events[0]["id"]
    ran = obra(home, "replay", session, "--only", "gate")
    assert ran.out.count("Quality: ") == 2
    whole = obra(home, "replay", session, "--json").events
    assert whole[-1]["type"] == "session_closed"


@pytest.mark.parametrize("speed", [1, 8, 64])
def test_a_replay_of_what_a_real_run_wrote_ends_in_the_state_of_the_run(home, speed):
    history = SqlHistory(home / "data" / "obra.db")
    (session,) = history.sessions().rows
    records = history.records(session.id, 0, 100_000)
    player = Player(records)
    player.speed, player.playing, view, told = speed, True, ViewState(), []
    while not player.over:
        due = player.pass_time(0.05)
        told += due
        view = apply_all(view, due)
    assert tuple(told) == tuple(records)
    assert any(isinstance(record.event, STREAMED) for record in told)
    assert view == apply_all(ViewState(), records)
    assert [task.state for task in view.tasks.values()] == [State.ACCEPTED]
    facts = apply_all(ViewState(), history.session_records(session.id))
    assert (facts.tasks, facts.gates, facts.sessions.keys()) == (view.tasks, view.gates, view.sessions.keys())


async def test_the_screens_show_what_a_real_run_wrote(home):
    history = SqlHistory(home / "data" / "obra.db")
    stage = Stage(history=history)
    async with stage.open((160, 50)) as pilot:
        await stage.press(pilot, "4")
        await settled(pilot, lambda: "REHEARSAL Calculator" in stage.text())
        await stage.press(pilot, "slash")
        await settled(pilot, lambda: stage.app.focused is not None and stage.app.focused.id == "message-input")
        await stage.press(pilot, *"divide verdict:fa", "tab", "enter")
        await settled(pilot, lambda: "1 match" in stage.text())
        assert "(FAIL)" not in stage.text() and " a1 " in stage.text()
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "(FAIL)" in stage.text() and "[Transcript]" in stage.text())
        await stage.press(pilot, "p")
        await settled(pilot, lambda: "REPLAY" in stage.text() and stage.screen.playback.player.records)
        await stage.press(pilot, "E")
        await settled(pilot, lambda: "Quality: 0.97 (PASS)" in stage.text() and "end" in stage.text())
        await stage.press(pilot, "escape", "escape", "5", "r")
        await settled(pilot, lambda: "1 of 2, 9–91 %" in stage.text())


async def test_what_a_real_run_wrote_is_pinned_tagged_exported_compared_and_imported_on_the_screen(copy, tmp_path):
    with mock.patch.dict(os.environ, environment(copy, CLAUDE_CONFIG_DIR=str(copy / "claude")), clear=True):
        settings = load(None, {"data_dir": copy / "data"})
    write(copy, transcript())
    history, journal = SqlHistory(copy / "data" / "obra.db"), SqlJournal(copy / "data" / "obra.db")
    archive = HistoryArchive(settings, history, journal)
    stage = Stage(history=history, archive=archive, data_dir=str(copy / "data"))
    async with stage.open((160, 50)) as pilot:
        await stage.press(pilot, "4")
        await settled(pilot, lambda: "REHEARSAL Calculator" in stage.text())
        await stage.press(pilot, "asterisk")
        await settled(pilot, lambda: "* REHEARSAL Calculator" in stage.text())
        await stage.press(pilot, "t")
        await settled(pilot, lambda: "a new tag" in stage.text())
        await stage.press(pilot, *"kept", "enter")
        await settled(pilot, lambda: "#kept" in stage.text())
        await stage.press(pilot, "x")
        await settled(pilot, lambda: "Export Calculator" in stage.text())
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "Wrote " in stage.text())
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "Attempts of" in stage.text())
        await stage.press(pilot, "space", "down", "equals_sign")
        await settled(pilot, lambda: "view: A → B" in stage.text() and "fixed (4)" in stage.text())
        assert "+0.40 ▲ better" in stage.text()
        await stage.press(pilot, "v", "v")
        await settled(pilot, lambda: stage.text().count("turn 2") == 2)
        await stage.press(pilot, "w")
        await settled(pilot, lambda: "Pick the winner" in stage.text())
        await stage.press(pilot, "down", "down", "enter", *"raises", "enter")
        await settled(pilot, lambda: "Kept: B" in stage.text())
        with mock.patch.dict(os.environ, {"CLAUDE_CONFIG_DIR": str(copy / "claude")}):
            await stage.press(pilot, "escape", "i")
            await settled(pilot, lambda: "1 transcript found" in stage.text())
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "1 imported" in stage.text())
        await stage.press(pilot, "escape", "escape")
        await settled(pilot, lambda: "imported: Fix the zebra test" in stage.text())
    journal.close()
    history.close()
    (exported,) = (copy / "data" / "exports").iterdir()
    assert "# Calculator" in exported.read_text() and "def divide" in exported.read_text()
    assert [row["session"] for row in found(copy, "is:pinned", "tag:kept")][:1]
    lines = [json.loads(line) for line in obra(copy, "export", "decisions").out.splitlines()]
    assert [(line["winner"], line["note"]) for line in lines if line["type"] == "preference"] == [("b", "raises")]
    assert found(copy, "zebra", "is:imported")


# --- import --------------------------------------------------------------------------------------

CLAUDE = "11111111-2222-4333-8444-555555555555"


def line(kind, at, message, **more):
    return json.dumps(
        {"type": kind, "sessionId": CLAUDE, "cwd": "/home/ada/calc", "timestamp": at, "message": message, **more}
    )


def transcript():
    usage = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 100}
    said = {"id": "msg_1", "model": "claude-opus", "usage": usage}
    return [
        line("user", "2026-03-01T10:00:00Z", {"content": f"Fix the zebra test, key {SECRET}"}, version="2.1.200"),
        line("assistant", "2026-03-01T10:00:05Z", {**said, "content": [{"type": "text", "text": "I look."}]}),
        line(
            "assistant",
            "2026-03-01T10:00:06Z",
            {**said, "content": [{"type": "tool_use", "id": "c1", "name": "Bash", "input": {"command": "pytest"}}]},
        ),
        line(
            "user",
            "2026-03-01T10:00:09Z",
            {"content": [{"type": "tool_result", "tool_use_id": "c1", "content": "1 failed"}]},
        ),
    ]


def write(home, lines, name="one.jsonl"):
    folder = home / "claude" / "projects" / "-home-ada-calc"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(f"{item}\n" for item in lines))
    return folder / name


def test_an_imported_transcript_has_no_gate_and_counts_usage_once_per_message(copy):
    source = write(copy, transcript())
    before = source.read_bytes()
    ran = obra(copy, "import", "--from", str(copy / "claude"), "--json")
    assert (ran.code, ran.summary["imported"]) == (0, 1)
    (row,) = found(copy, "is:imported")
    assert (
        row["attempt"]["usage"] | {"input_tokens": 10, "output_tokens": 5, "cache_read_tokens": 100}
        == row["attempt"]["usage"]
    )
    assert (row["attempt"]["score"], row["kind"]) == (None, "imported")
    assert "no gate" in obra(copy, "history", "is:imported").out
    assert source.read_bytes() == before
    assert SECRET.encode() not in (copy / "data" / "obra.db").read_bytes()
    assert {f["name"]: f["value"] for f in obra(copy, "metrics", "--json").events}["attempts"] in (0, None)


def test_a_transcript_that_grew_is_read_on_from_where_it_was_left(copy):
    source = write(copy, transcript()[:2])
    obra(copy, "import", "--from", str(source))
    with source.open("a") as file:
        file.write("".join(f"{item}\n" for item in transcript()[2:]) + '{"type":"user","mess')
    again = obra(copy, "import", "--from", str(source), "--json")
    assert again.summary["continued"] == 1
    (row,) = found(copy, "is:imported")
    assert row["attempt"]["usage"]["cache_read_tokens"] == 100
    assert len(found(copy, '"1 failed"', "is:imported")) == 1
    assert obra(copy, "import", "--from", str(source), "--json").summary["unchanged"] == 1


def test_damaged_and_foreign_lines_are_passed_over(copy):
    strange = [
        "{{{",
        "[1]",
        '"x"',
        "null",
        json.dumps({"type": "future"}),
        '{"type":"user","message":{"content":7}}',
        "\x00\ud83d".encode("utf-8", "replace").decode(),
        "[" * 5000,
        line("user", "2026", {"content": "x" * 1_000_000}),
    ]
    source = write(copy, [*strange, *transcript()])
    (read, _) = obra(copy, "import", "--from", str(source), "--json").events
    assert (read["outcome"], read["passed_over"]) == ("imported", 6)
    assert found(copy, "zebra")


def test_reports_of_tests_and_linters_are_imported_once_and_found(copy, tmp_path):
    junit, sarif, bad = tmp_path / "junit.xml", tmp_path / "lint.sarif", tmp_path / "bad.sarif"
    junit.write_text('<testsuite><testcase name="test_giraffe"><failure message="too tall"/></testcase></testsuite>')
    region = {"artifactLocation": {"uri": "src/a%20b.py"}, "region": {"startLine": 12}}
    result = {
        "ruleId": "S101",
        "level": "error",
        "message": {"text": "hippo"},
        "locations": [{"physicalLocation": region}],
    }
    sarif.write_text(json.dumps({"runs": [{"tool": {"driver": {"name": "ruff"}}, "results": [result, 7, {}]}]}))
    bad.write_text("{" * 5_000)
    for path, code in ((junit, 0), (sarif, 0), (bad, 1)):
        assert obra(copy, "import", "--from", str(path)).code == code
    assert found(copy, "giraffe", "check:junit=fail")
    (row,) = found(copy, "hippo")
    assert "src/a b.py:12 S101 error: hippo" in row["hit"]["line"]
    assert obra(copy, "import", "--from", str(sarif), "--json").summary["unchanged"] == 1


def test_a_folder_without_transcripts_is_said_plainly(copy):
    ran = obra(copy, "import", "--from", str(copy / "nowhere"))
    assert (ran.code, "Traceback" in ran.err) == (2, False)


# --- keep ----------------------------------------------------------------------------------------


def test_pruning_spares_what_is_pinned_and_a_dry_run_changes_nothing(copy):
    session = obra(copy, "history", "--json").events[0]["id"]
    write(copy, transcript())
    obra(copy, "import", "--from", str(copy / "claude"))
    imported = found(copy, "is:imported")[0]["session"]
    assert obra(copy, "prune", "--older", "30d", "--dry-run", "--json").summary["planned"] == 1
    assert found(copy, "zebra")
    obra(copy, "pin", imported)
    assert obra(copy, "prune", "--older", "30d", "--json").summary["pruned"] == 0
    assert [row["session"] for row in found(copy, "is:pinned")] == [imported]
    obra(copy, "pin", imported, "--remove")
    assert obra(copy, "prune", "--older", "30d", "--json").summary["pruned"] == 1
    assert not found(copy, "zebra")
    assert [event["id"] for event in obra(copy, "history", "--json").events] == [session]
    database = sqlite3.connect(copy / "data" / "obra.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.execute("INSERT INTO search (search) VALUES ('integrity-check')")


def test_a_backup_brings_a_deleted_session_back(copy, tmp_path):
    backup = tmp_path / "history.backup"
    session = obra(copy, "history", "--json").events[0]["id"]
    obra(copy, "tag", session, "keep me")
    assert obra(copy, "backup", str(backup)).code == 0
    assert backup.stat().st_mode & 0o777 == 0o600
    assert obra(copy, "prune", "--size", "1", "--json").summary["pruned"] == 1
    assert obra(copy, "history").out == ""
    restored = obra(copy, "restore", str(backup), "--json").events[0]
    assert restored["before"]
    assert obra(copy, "history", "--json").events[0]["labels"] == ["keep me"]
    assert found(copy, "divide")


def test_a_foreign_or_damaged_backup_is_refused_and_nothing_changes(copy, tmp_path):
    before = (copy / "data" / "obra.db").read_bytes()
    foreign = tmp_path / "foreign.db"
    sqlite3.connect(foreign).execute("CREATE TABLE x (y)")
    torn = tmp_path / "torn.db"
    torn.write_bytes(before[: len(before) // 2])
    for path in (foreign, torn, tmp_path / "missing.db"):
        ran = obra(copy, "restore", str(path))
        assert ran.code != 0 and "Traceback" not in ran.err and ran.err.startswith("obra: ")
    assert (copy / "data" / "obra.db").read_bytes() == before


def test_a_search_is_a_command_like_any_other(home):
    ran = process(home, "search", "-is:open", "divide")
    assert (ran.code, ran.out.count("[divi") > 0) == (0, True)


def test_what_is_like_an_attempt_is_found(home, attempts):
    rows = obra(home, "search", "--like", attempts[0], "--json").events
    assert {row["attempt"]["id"] for row in rows if row["attempt"]} == set(attempts)
    assert obra(home, "search", "--like", attempts[0]).err.count("read as: ") == 3


def test_an_unknown_id_is_said_plainly(home):
    ran = obra(home, "show", "a-no-such-thing")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
