"""Carry out a script's tool calls on a folder, without Claude Code: enough to check a scenario's story."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from obra_tui.rehearsal.reading import read_prompt
from obra_tui.rehearsal.reviewer import Review, review
from obra_tui.rehearsal.scenario import Scenario
from obra_tui.rehearsal.script import Script, Use

QUIET = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "GIT_CONFIG_GLOBAL": os.devnull}


def act(script: Script, number: int, prompt: str, repo: Path) -> list[str]:
    """Do what the script does on its `number`-th prompt; return the commands it would run."""
    commands = []
    for response in script.turn(number, prompt).for_prompt(prompt):
        for use in (b for b in response.blocks if isinstance(b, Use)):
            match use.tool:
                case "Write":
                    target = repo / use.input["file_path"]
                    target.write_text(use.input["content"])
                case "Edit":
                    replace_once(repo / use.input["file_path"], use.input["old_string"], use.input["new_string"])
                case "Read":
                    assert (repo / use.input["file_path"]).is_file(), use
                case "Bash":
                    commands.append(use.input["command"])
    return commands


def replace_once(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file.name}"
    file.write_text(text.replace(old, new))


def check(scenario: Scenario, repo: Path) -> tuple[bool, str]:
    """Run the scenario's own checks; whether all pass, and what they print."""
    printed, good = [], True
    for item in scenario.checks:
        env = QUIET | {"OBRA_JUNIT": str(repo.parent / "junit.xml")}
        command = item.spec(sys.executable).run
        done = subprocess.run(["sh", "-c", command], cwd=repo, env=env, capture_output=True, text=True)
        good = good and done.returncode == 0
        printed.append(done.stdout + done.stderr)
    return good, "\n".join(printed)


def git(repo: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=repo, env=QUIET, capture_output=True, text=True, check=True).stdout


def look(repo: Path, task: str, output: str) -> Review:
    """What the judge says about the work, shown as a prompt shows it."""
    git(repo, "add", "-A")
    change = git(repo, "diff", "--cached", "--no-color")
    return review(read_prompt(f"# Task\n{task}\n# Checks\n{output}\n# The change\n{change}"))
