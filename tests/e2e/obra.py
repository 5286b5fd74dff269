"""The command `obra` as a person runs it: a process of its own, its own home, no network but loopback."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field

import psutil


def environment(home, **more):
    """A clean environment: nothing of the caller's but the search path."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "OBRA_DATA_DIR": str(home / "data"),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "TMPDIR": str(home / "tmp"),
        **more,
    }


@dataclass
class Ran:
    code: int
    out: str
    err: str
    events: list = field(default_factory=list)

    def of(self, kind):
        return [event for event in self.events if event["type"] == kind]

    @property
    def summary(self):
        return self.events[-1]


def obra(home, *args, timeout=90, cwd=None, **env):
    """Run `obra` to its end."""
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "obra_tui", *args],
        env=environment(home, **env),
        cwd=cwd or home,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    events = []
    if "--json" in args:
        events = [json.loads(line) for line in done.stdout.splitlines()]
    return Ran(done.returncode, done.stdout, done.stderr, events)


def processes_of(home):
    """Processes that were started for this home: by their environment, whoever their parent is now."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("HOME", "").startswith(str(home)) or str(home) in " ".join(process.cmdline()):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    # The terminal that a test typed into names the home on its command line too.
    return [process for process in found if process.pid != os.getpid() and not process.name().startswith("tmux")]


def git(repo, *args):
    done = subprocess.run(["git", "-C", str(repo), *args], capture_output=True, text=True, check=True)
    return done.stdout.strip()
