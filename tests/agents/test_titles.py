"""The one line of each tool call."""

import pytest

from obra_tui.agents.titles import MAX_TITLE, title_of

CWD = "/copies/t1"
TITLES = [
    ("Edit", {"file_path": f"{CWD}/src/a.py"}, "src/a.py"),
    ("Read", {"file_path": "/etc/hosts"}, "/etc/hosts"),
    ("Write", {"file_path": f"{CWD}2/a.py"}, f"{CWD}2/a.py"),
    ("NotebookEdit", {"notebook_path": f"{CWD}/n.ipynb"}, "n.ipynb"),
    ("Bash", {"command": "pytest -q\n  && ruff check", "description": "Run tests"}, "pytest -q && ruff check"),
    ("Grep", {"pattern": "def add", "path": f"{CWD}/src"}, '"def add" in src'),
    ("Glob", {"pattern": "**/*.py"}, '"**/*.py"'),
    ("Task", {"subagent_type": "Explore", "description": "Look", "prompt": "long"}, "Explore: Look"),
    ("WebFetch", {"url": "https://x.example", "prompt": "p"}, "https://x.example"),
    ("TodoWrite", {"todos": [{"content": "a", "status": "completed"}, {"content": "b", "status": "in_progress"}]},
     "1/2 done, now: b"),
    ("AskUserQuestion", {"questions": [{"question": "Which?"}]}, "Which?"),
    ("mcp__db__query", {"limit": 3, "sql": "select 1"}, "select 1"),
    ("Nothing", {}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "given", "title"), TITLES)
def test_a_title_says_what_is_acted_on(tool, given, title):
    assert title_of(tool, given, CWD) == title


def test_a_long_title_is_cut():
    title = title_of("Bash", {"command": "x" * 10_000}, CWD)
    assert len(title) == MAX_TITLE and title.endswith("…")
