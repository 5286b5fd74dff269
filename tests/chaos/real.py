# ruff: noqa: T201 - its output is what the campaign reads
"""The real Claude Code program in a campaign: scripted models in a process of their own, which is never killed.

`python -m tests.chaos.real FOLDER` writes the script, says where it serves, and stays until its input is closed.
"""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

_TASKS = 3
_SCRIPT = """
[[scripts]]
name = "task-{number}"
match = ["Task {number}"]
[[scripts.turns]]
[[scripts.turns.replies]]
say = "I look at what is there before I write anything, and I say so at some length."
use = [{{ read = "README.md" }}]
[[scripts.turns.replies]]
say = "Now I write the file."
use = [{{ write = "work-{number}.txt", from = "work/text.txt" }}]
[[scripts.turns.replies]]
say = "`work-{number}.txt` is there."
"""


def main(folder):
    from obra_tui.rehearsal import RehearsalServers, load_scenario

    for name in ("repo", "work"):
        (folder / name).mkdir(parents=True)
    (folder / "repo" / "README.md").write_text("# chaos\n")
    (folder / "work" / "text.txt").write_text("work\n")
    (folder / "plan.md").write_text("# Chaos\n\n- [ ] Task 0\n")
    scripts = "".join(_SCRIPT.format(number=number) for number in range(_TASKS))
    (folder / "scenario.toml").write_text(f'title = "Chaos"\n{scripts}')
    with RehearsalServers.open(load_scenario(folder), pace=0) as stage:
        print(json.dumps({"claude.base_url": stage.claude_base_url}), flush=True)
        sys.stdin.read()


@contextlib.contextmanager
def scripted_models(root):
    """Yield the settings by which the real program talks to the scripted models."""
    for name in ("home", "claude"):
        (root / name).mkdir()
    quiet = ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_TELEMETRY", "DISABLE_AUTOUPDATER", "IS_SANDBOX")
    os.environ.update({**dict.fromkeys(quiet, "1"), "HOME": str(root / "home")})
    words = [sys.executable, "-m", "tests.chaos.real", str(root / "scenario")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        served = json.loads(server.stdout.readline())
        try:
            yield {**served, "claude.api_key": "dummy", "claude.config_dir": str(root / "claude")}
        finally:
            server.stdin.close()
            server.wait(10)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
