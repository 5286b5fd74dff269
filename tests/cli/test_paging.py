"""Diffs are coloured and long output is paged on a terminal, and nowhere else."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from obra_tui.cli.paging import coloured

PATCH = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new \x1b[31m\n same\n"
PROGRAM = f"""
from obra_tui.cli.paging import echo_diff, paged
with paged():
    print("head")
    echo_diff({PATCH!r} * COUNT)
"""


def on_terminal(count, **environment):
    """What the program writes to a terminal of 24 rows."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.replace("COUNT", str(count))],
        stdout=theirs,
        env={"PATH": os.environ["PATH"], "TERM": "xterm", "LINES": "24", "COLUMNS": "80", **environment},
        cwd=Path(__file__).parents[2],
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    os.close(ours)
    assert child.wait(30) == 0
    return seen.decode().replace("\r\n", "\n")


def test_a_diff_has_gits_colours_and_no_sequence_of_its_own():
    shown = on_terminal(1)
    assert "head" in shown and "\x1b[32m+new ␛[31m\x1b[m" in shown and "\x1b[31m-old\x1b[m" in shown
    assert "\x1b[1m--- a/x\x1b[m" in shown


def test_no_color_and_a_dumb_terminal_get_plain_text():
    assert "\x1b" not in on_terminal(1, NO_COLOR="1")
    assert "\x1b" not in on_terminal(1, TERM="dumb")


def test_what_is_longer_than_the_terminal_goes_through_the_pager(tmp_path):
    pager = tmp_path / "pager"
    pager.write_text('#!/bin/sh\necho "PAGED $LESS"\nhead -1\n')
    pager.chmod(0o755)
    assert on_terminal(10, PAGER=str(pager)) == "PAGED FRX\nhead\n"
    assert "PAGED" not in on_terminal(1, PAGER=str(pager))
    assert on_terminal(10, PAGER="cat").count("+new") == 10
    assert on_terminal(10, PAGER="/nowhere/less").count("+new") == 10


def test_a_pipe_gets_what_it_got_before():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("COUNT", "10")],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert "\x1b" not in done.stdout and done.stdout.startswith("head\n\ndiff --git")


def test_a_removed_line_of_dashes_is_no_heading():
    shown = coloured("--- a/x\n+++ b/x\n@@ -1 +0,0 @@\n--- a comment\n").split("\n")
    assert shown[0].startswith("\x1b[1m") and shown[3] == "\x1b[31m--- a comment\x1b[m"
