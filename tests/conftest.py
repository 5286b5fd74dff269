"""What every test stands on: a home of its own, no colour switches of the caller, no network but this machine."""

import ipaddress
import os
import shutil
import signal
import socket
from pathlib import Path

import pytest

pytest_plugins = ["tests.faults.plugin", "tests.fuzzing", "tests.postgresql"]

# Textual reads these once, when it is imported.
os.environ.pop("NO_COLOR", None)
os.environ["TEXTUAL_ANIMATIONS"] = "none"

# A shell starts a job in the background with SIGINT ignored, and what is started from here would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_FOREIGN_PREFIXES = ("OBRA_", "ANTHROPIC_", "CLAUDE", "GIT_", "XDG_", "OLLAMA_")
_GITCONFIG = "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    """No test sees the caller's settings, logins or git identity, or leaves anything in their home."""
    for name in [name for name in os.environ if name.startswith(_FOREIGN_PREFIXES)]:
        monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text(_GITCONFIG, encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("OBRA_DATA_DIR", str(home / "data"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch):
    """A connection to anywhere else is a fault of the test or of the program, and fails at once."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise AssertionError(f"a test wanted to connect to {address[0]}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def _is_loopback(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_QUICK_FOLDERS = ("core", "engine", "scenarios")


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in _QUICK_FOLDERS:
            item.add_marker("quick")
    if shutil.which("tmux") is None:
        missing = pytest.mark.skip(reason="tmux is not installed")
        for item in items:
            if "tmux" in item.keywords:
                item.add_marker(missing)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Three for two processors: a worker mostly waits for the programs that its test started."""
    return max(2, len(os.sched_getaffinity(0)) * 3 // 2) if hasattr(os, "sched_getaffinity") else None
