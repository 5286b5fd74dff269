"""The witness: starts pytest in processes of its own and hands on what became of each test.

Obra gives this text, joined to that of `looking`, to the project's interpreter on its command line, so it knows nothing
of Obra, imports nothing but the standard library and pytest, and runs on Python 3.8. The first process holds the
channel to Obra and never imports what is under test; its children run the tests, report by a pipe of their own and
cannot reach the channel. What a child says is checked here by canaries (tests that must fail) and by a look at whether
pytest was replaced while it ran.
"""
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import json
import os
import secrets
import select
import sys
from typing import Any

from obra_tui.evidence.witness.looking import ROOT, Introspection, Looking, inside_tree

MOST_TEXT = 2_000
MOST_CANARIES = 20
_PR_SET_DUMPABLE = 4


def main() -> int:
    channel = ObraLines(int(sys.argv[1]))
    sys.path[:] = [entry for entry in sys.path if entry not in ("", ".", ROOT)]
    config = channel.read()
    sys.argv[:] = ["pytest"]
    _be_dumpable(False)
    os.environ.update(config["environment"])
    for name in config["without"]:
        os.environ.pop(name, None)
    if problem := _load_pytest():
        channel.send({"missing": problem})
        return 1
    status = 0
    for number, group in enumerate(config["groups"]):
        ended = _run_apart(channel, number)
        if isinstance(ended, Saying):
            return _in_child(config, group, ended)
        status = status or ended
    channel.send({"done": True})
    channel.send({"closing": channel.read()["nonce"], "records": channel.sent})
    return status


class ObraLines:
    """Lines of JSON to and from Obra."""

    def __init__(self, number: int) -> None:
        self._number = number
        os.set_inheritable(number, False)
        self._waiting = b""
        self.sent = 0

    def read(self) -> dict[str, Any]:
        while b"\n" not in self._waiting:
            chunk = os.read(self._number, 1 << 16)
            if not chunk:
                raise SystemExit("Obra closed the channel.")
            self._waiting += chunk
        line, self._waiting = self._waiting.split(b"\n", 1)
        found: dict[str, Any] = json.loads(line)
        return found

    def send(self, record: dict[str, Any]) -> None:
        self.forward(json.dumps(record).encode())

    def forward(self, line: bytes) -> None:
        self.sent += 1
        _write(self._number, line + b"\n")

    def close(self) -> None:
        os.close(self._number)
        self._waiting = b""


def _write(number: int, data: bytes) -> None:
    while data:
        data = data[os.write(number, data) :]


def _be_dumpable(value: bool) -> None:
    """While it is not, no process of the same user can open its descriptors or read its memory."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, int(value), 0, 0, 0)


def _load_pytest() -> str:
    """Import all of pytest while nothing of the tree can be found; returns why it cannot be."""
    try:
        import pytest
        from _pytest import config
    except ImportError as error:
        return f"No module named {error.name or error}"
    if tuple(int(part) for part in pytest.__version__.split(".")[:1]) < (7,):
        return f"pytest {pytest.__version__} is older than 7"
    for name in config.default_plugins:
        __import__(f"_pytest.{name}")
    for name in ("difflib", "pprint", "pdb", "bdb", "unittest", "doctest", "tempfile", "fnmatch", "shlex", "ast"):
        __import__(name)
    return ""


# --- the first process ---------------------------------------------------------------------------


def _run_apart(channel: ObraLines, number: int) -> int | Saying:
    """Fork and hand on what the child says: returns how it ended, and in the child itself its own pipe."""
    reading, writing = os.pipe()
    token = secrets.token_hex(16)
    pid = os.fork()
    if pid == 0:
        channel.close()
        os.close(reading)
        _be_dumpable(True)
        return Saying(writing, token)
    os.close(writing)
    code = _hand_on(channel, number, token.encode(), reading, pid)
    os.close(reading)
    channel.send({"group": number, "ended": code})
    return code


def _hand_on(channel: ObraLines, number: int, token: bytes, reading: int, pid: int) -> int:
    """Forward the lines that carry the child's token until it has ended, whoever else holds its pipe."""
    waiting, status = b"", None
    while True:
        ready, _, _ = select.select([reading], [], [], 0.2 if status is None else 0.0)
        chunk = os.read(reading, 1 << 16) if ready else b""
        waiting += chunk
        *lines, waiting = waiting.split(b"\n")
        for line in lines:
            mark, _, text = line.partition(b" ")
            if mark == token:
                channel.forward(b'{"group": %d, "said": %s}' % (number, text))
            else:
                channel.send({"group": number, "stray": True})
        if ready and not chunk and status is None:
            status = os.waitpid(pid, 0)[1]
        elif not ready and status is None:
            found, ended = os.waitpid(pid, os.WNOHANG)
            status = ended if found else None
            continue
        if status is not None and not chunk:
            return _exit_code(status)


def _exit_code(status: int) -> int:
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


# --- a child -------------------------------------------------------------------------------------


def _in_child(config: dict[str, Any], group: dict[str, Any], say: Saying) -> int:
    import pytest

    options = ["-o", f"cache_dir={config['cache']}"]
    plain = "PYTEST_DISABLE_PLUGIN_AUTOLOAD" in os.environ
    if not plain and "no:xdist" not in config["arguments"] and importlib.util.find_spec("xdist"):
        options += ["-n", "0"]
    arguments = [item for item in config["arguments"] if item.split("::")[0] not in group["leave"]]
    code = int(pytest.main([*arguments, *options], plugins=[_plugin(pytest, config, group, say)]))
    say({"finished": code, "results": say.results})
    return code


class Saying:
    """The child's own pipe, high up where nobody closes it by accident."""

    def __init__(self, number: int, token: str) -> None:
        self._token = token
        self._owner = os.getpid()
        self._number = 200 + secrets.randbelow(600)
        try:
            os.dup2(number, self._number, inheritable=False)
            os.close(number)
        except OSError:
            self._number = number
        self.results = 0

    def __call__(self, record: dict[str, Any]) -> None:
        if os.getpid() == self._owner:
            _write(self._number, f"{self._token} {json.dumps(record)}\n".encode())


def _from_elsewhere() -> list[str]:
    """Return which packages of the tree were loaded from another place: what the tests show is not about the tree."""
    library = os.path.dirname(os.__file__)  # noqa: PTH120
    found = []
    for folder in (ROOT, f"{ROOT}/src"):
        for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():  # noqa: PTH112, PTH208
            is_code = entry.endswith(".py") or os.path.isfile(f"{folder}/{entry}/__init__.py")  # noqa: PTH113
            name = entry[:-3] if entry.endswith(".py") else entry
            source: Any = (
                getattr(sys.modules.get(name), "__file__", None) if is_code and name not in _NO_PACKAGES else None
            )
            own = not source or inside_tree(source) or inside_tree(os.path.realpath(source))
            if not own and ("-packages/" in source or not source.startswith(library)):
                found.append(f"{name} ({source})")
    return found


_NO_PACKAGES = (
    *("tests", "test", "docs", "setup", "conftest", "examples"),
    *("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "exceptiongroup", "xdist", "execnet"),
)
"""The latter are the runner's own: work that puts something in their place is told of as that."""


def _plugin(pytest: Any, config: dict[str, Any], group: dict[str, Any], say: Saying) -> Any:  # noqa: C901
    from _pytest import runner

    run_protocol = runner.runtestprotocol
    looking = Looking()
    reached: set[tuple[str, int, int]] = set()

    class Witness:
        def __init__(self) -> None:
            self.canaries: dict[int, Any] = {}
            self.made: dict[tuple[str, str], str] = {}
            self.seen: dict[str, dict[str, Any]] = {}
            self.before: dict[tuple[str, ...], Any] = {}
            self.plugins: set[int] = set()

        @pytest.hookimpl(tryfirst=True)
        def pytest_load_initial_conftests(self, early_config: Any) -> None:
            """Make the tree importable only now: pytest and the plugins of the environment are loaded."""
            first = config["first"] or next(
                (at for at, entry in enumerate(sys.path) if entry.endswith(("site-packages", "dist-packages"))), 0
            )
            for entry in reversed(config["paths"]):
                sys.path.insert(0 if config["first"] else first, entry)

        def pytest_ignore_collect(self, collection_path: Any) -> bool | None:
            name = inside_tree(str(collection_path))
            return True if name and name in left and not os.path.isdir(collection_path) else None  # noqa: PTH112

        def pytest_collection(self) -> None:
            self.before = _as_it_is()

        @pytest.hookimpl(hookwrapper=True)
        def pytest_collection_modifyitems(self, session: Any, config: Any, items: list[Any]) -> Any:
            yield
            if group["only"]:
                wanted = set(group["only"])
                items[:] = [item for item in items if item.nodeid in wanted]
                if group["reverse"]:
                    items.reverse()

        @pytest.hookimpl(trylast=True)
        def pytest_collection_finish(self, session: Any) -> None:
            say({"collected": [item.nodeid for item in session.items]})
            self.plugins = {id(plugin) for plugin in session.config.pluginmanager.get_plugins()}
            files = {inside_tree(str(item.path)) for item in session.items}
            looking.places = frozenset(os.path.dirname(name) for name in files if name)  # noqa: PTH120
            if group["canaries"]:
                session.items[:] = self._with_canaries(session.items)

        def _with_canaries(self, items: list[Any]) -> list[Any]:
            """Put behind the tests of a file one that has the name of one of them, and must fail."""
            found: list[Any] = []
            for at, item in enumerate(items):
                found.append(item)
                following = items[at + 1] if at + 1 < len(items) else None
                if following is not None and following.path == item.path:
                    continue
                if type(item) is pytest.Function and len(self.canaries) < MOST_CANARIES:
                    canary = type(item).from_parent(item.parent, name=item.name, callobj=_must_fail)
                    self.canaries[id(canary)] = canary
                    found.append(canary)
            return found

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> bool | None:
            if id(item) not in self.canaries:
                return None
            reports = run_protocol(item, log=False, nextitem=nextitem)
            if not any(report.failed for report in reports):
                say({"tampered": "a test that must fail was reported as passed"})
            return True

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_call(self, item: Any) -> Any:
            watched = item.nodeid in group["watch"] and id(item) not in self.canaries
            if watched:
                reached.clear()
                sys.setprofile(_note_call)
            yield
            if watched:
                sys.setprofile(None)
                self._entry(item.nodeid)["reached"] = sorted(reached)

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_runtest_makereport(self, item: Any, call: Any) -> Any:
            answer = yield
            if id(item) in self.canaries:
                return
            report = answer.get_result()
            raised = call.excinfo is not None and report.when == "call"
            if raised and report.passed:
                say({"tampered": f"{item.nodeid} raised an error and was reported as passed"})
            self.made[report.nodeid, report.when] = report.outcome

        def pytest_runtest_logreport(self, report: Any) -> None:
            entry = self._entry(report.nodeid)
            if report.passed and self.made.get((report.nodeid, report.when)) == "failed":
                say({"tampered": f"{report.nodeid} failed and was then reported as passed"})
            self._take(entry, report)

        def _entry(self, name: str) -> dict[str, Any]:
            return self.seen.setdefault(name, {"name": name, "outcome": "", "message": "", "file": "", "line": None})

        def _take(self, entry: dict[str, Any], report: Any) -> None:
            if report.failed:
                entry["outcome"] = "failed" if report.when == "call" or entry["outcome"] == "failed" else "error"
                entry.update(_failure(report))
            elif report.skipped and entry["outcome"] in ("", "passed"):
                entry["outcome"] = "skipped"
            elif report.passed and report.when == "call" and not entry["outcome"]:
                entry["outcome"] = "passed"

        def pytest_runtest_logfinish(self, nodeid: str) -> None:
            entry = self.seen.pop(nodeid, None)
            if entry is not None and entry["outcome"]:
                say.results += 1
                say({"result": entry})

        def pytest_collectreport(self, report: Any) -> None:
            if report.failed:
                say({"unreadable": {"name": report.nodeid or "collection", **_failure(report)}})

        @pytest.hookimpl(tryfirst=True)
        def pytest_sessionfinish(self, session: Any) -> None:
            changed = _replaced(self.before) if self.before else []
            manager = session.config.pluginmanager
            for plugin in manager.get_plugins() if self.plugins else ():
                source = str(getattr(plugin, "__file__", "") or "")
                if id(plugin) not in self.plugins and _listens(manager, plugin) and not source.endswith("conftest.py"):
                    changed.append(f"plugin {manager.get_name(plugin)}")
            for name in changed:
                say({"replaced": name})
            say({"elsewhere": _from_elsewhere()})
            if config["trace"]:
                say({"read": sorted(looking.read)})

    def _note_call(frame: Any, event: str, argument: object) -> None:
        if event == "call" and inside_tree(frame.f_code.co_filename):
            code = frame.f_code
            reached.add((inside_tree(code.co_filename), code.co_firstlineno, _last_line(code)))

    left = set(group["leave"])
    sys.addaudithook(Introspection(say))
    if config["trace"]:
        sys.addaudithook(looking)
    return Witness()


def _must_fail() -> None:
    raise AssertionError("This test must fail: it shows that failures are reported.")


def _last_line(code: Any) -> int:
    import dis

    return max((line for _, line in dis.findlinestarts(code) if line), default=code.co_firstlineno)


def _failure(report: Any) -> dict[str, Any]:
    """Return message and place of a failure: the last line of the traceback in the test's own file."""
    own = str(report.nodeid).split("::")[0]
    crash = getattr(report.longrepr, "reprcrash", None)
    message = crash.message if crash is not None else str(report.longrepr or "")
    location = getattr(report, "location", None)
    line = location[1] + 1 if location and location[1] is not None else None
    traceback = getattr(report.longrepr, "reprtraceback", None)
    for entry in getattr(traceback, "reprentries", ()):
        place = getattr(entry, "reprfileloc", None)
        if place is not None and inside_tree(place.path) == own:
            line = place.lineno
    return {"message": message[:MOST_TEXT], "file": own, "line": line}


_HOOKS = ("pytest_runtest_makereport", "pytest_runtest_logreport", "pytest_runtest_call", "pytest_pyfunc_call")


def _listens(manager: Any, plugin: Any) -> bool:
    return any(hasattr(plugin, name) for name in (*_HOOKS, "pytest_runtest_protocol", "pytest_report_teststatus"))


def _as_it_is() -> dict[tuple[str, ...], Any]:
    """Return the code of all that pytest consists of."""
    found: dict[tuple[str, ...], Any] = {}
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] not in ("_pytest", "pytest", "pluggy", "unittest") or module is None:
            continue
        for key, value in list(vars(module).items()):
            if (code := _code_of(value)) is not None:
                found[name, key] = code
            if isinstance(value, type) and value.__module__ == name:
                for inner, item in list(vars(value).items()):
                    if (code := _code_of(item)) is not None:
                        found[name, key, inner] = code
    return found


def _code_of(value: Any) -> Any:
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    if isinstance(value, property):
        value = value.fget
    return value if isinstance(value, type) else getattr(value, "__code__", None)


def _replaced(before: dict[tuple[str, ...], Any]) -> list[str]:
    now = _as_it_is()
    return [".".join(place) for place, code in before.items() if now.get(place) is not code][:20]


if __name__ == "__main__":
    raise SystemExit(main())
