"""Runs Obra's evidence on public repositories as they are, and writes docs/reports/repositories.md.

    python scripts/repositories.py [NAME …]

Each project is a source package of a registry, unpacked and committed in a folder of its own. What a person would do is
done by the command line (`obra doctor`, `obra doctor --write`); then the checks run on the code as it is, on a harmless
change, and on one that breaks it. Everything runs with a HOME, a data directory and a PATH of its own. Needs the
network and the programs uv, git and npm.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs" / "reports" / "repositories.md"


class Case(NamedTuple):
    """A project, and a change of one of its files that breaks it."""

    kind: str
    package: str
    file: str
    old: str
    new: str

    @property
    def name(self) -> str:
        return self.package.replace("==", "@").partition("@")[0]


CASES = (
    Case("pypi", "itsdangerous==2.2.0", "src/itsdangerous/encoding.py", '(string).rstrip(b"=")', "(string)"),
    Case("pypi", "humanize==4.11.0", "src/humanize/filesize.py", 'return "%d Byte" % bytes_', 'return "1 Bite"'),
    Case("pypi", "tomlkit==0.13.2", "tomlkit/api.py", "return parse(string)", "return document()"),
    Case("pypi", "aiosignal==1.3.2", "aiosignal/__init__.py", "if not self.frozen:", "if self.frozen:"),
    Case("pypi", "pluggy==1.5.0", "src/pluggy/_result.py", "self._result = result", "self._result = None"),
    Case("pypi", "markupsafe==3.0.2", "src/markupsafe/__init__.py", "def striptags(self", "def striptag(self"),
    Case("pypi", "tinydb==4.8.2", "tinydb/operations.py", "doc[field] += n", "doc[field] -= n"),
    Case("pypi", "packaging==24.2", "src/packaging/utils.py", "return (name, version)", "return (version, name)"),
    Case("pypi", "click==8.1.7", "src/click/formatting.py", 'return "\\n\\n".join(rv)', 'return "\\n".join(rv)'),
    Case("pypi", "six==1.16.0", "six.py", 'return s.encode("latin-1")', 'return s.encode("utf-16")'),
    Case("pypi", "hiredis==3.1.0", "hiredis/__init__.py", "from hiredis.hiredis import ", "from hiredis.other import "),
    Case("pypi", "django-environ==0.11.2", "environ/environ.py", "      return value\n", "      return None\n"),
    Case("pypi", "svcs==25.1.0", "src/svcs/_core.py", "{obj.__module__}.{obj.__qualname__}", "{obj.__qualname__}"),
    Case("pypi", "structlog==25.1.0", "src/structlog/_utils.py", "return processname", 'return ""'),
    Case("pypi", "unearth==0.17.2", "src/unearth/utils.py", "v[0] for k", "v for k"),
    Case("pypi", "nox==2024.10.9", "nox/_version.py", 'metadata.version("nox")', '"0"'),
    Case("pypi", "django-debug-toolbar==4.4.6", "debug_toolbar/utils.py", "if not excluded", "if excluded"),
    Case("pypi", "kombu==5.4.2", "kombu/utils/encoding.py", "import sys", "import sys, no_such_module"),
    Case("npm", "duplexify@4.1.2", "index.js", "this.destroyed = false", "this.destroyed = true"),
    Case("npm", "xtend@4.0.2", "mutable.js", "target[key] = source[key]", "target[key] = key"),
    Case("npm", "pump@3.0.0", "index.js", "destroys.forEach(call)", "destroys.forEach(String)"),
    Case("npm", "bl@5.1.0", "BufferList.js", "this.length += buf.length", "this.length -= buf.length"),
    Case("npm", "qs@6.13.1", "lib/formats.js", "percentTwenties, '+'", "percentTwenties, '-'"),
    Case("npm", "minimist@1.2.8", "index.js", "'number') { return true; }", "'number') { return false; }"),
    Case("npm", "object-inspect@1.13.3", "index.js", "    return xs;\n", "    return [];\n"),
    Case("npm", "deep-equal@2.2.3", "index.js", "  return true;\n}", "  return false;\n}"),
)  # fmt: skip


class Looked(NamedTuple):
    """What the checks showed for one state of the files."""

    verdict: str
    seconds: float
    copied: float
    megabytes: float
    told: str
    baseline: str = "–"
    """What the tests showed on the code before the work."""


# --- the run of one project, in an environment of its own ---------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="only these projects")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=Path, help="keep the measured rows in this file, and take those that are there")
    given = parser.parse_args(arguments)
    if given.one:
        case = next(case for case in CASES if case.name == given.one)
        sys.stdout.write(json.dumps(one(case, Path(os.environ["HOME"]).parent)))
        return 0
    rows = json.loads(given.rows.read_text()) if given.rows and given.rows.exists() else {}
    for case in CASES:
        if (given.names and case.name not in given.names) or (not given.names and case.name in rows):
            continue
        sys.stderr.write(f"{case.name} …\n")
        rows[case.name] = apart(case)
        sys.stderr.write(f"{json.dumps(rows[case.name])}\n")
        if given.rows:
            given.rows.write_text(json.dumps(rows, indent=1))
    REPORT.write_text(report(rows))
    return 0


def apart(case: Case) -> dict[str, Any]:
    """Run one project in a process with an environment of its own."""
    place = Path(tempfile.mkdtemp(prefix="obra-repositories-"))
    try:
        tools = place / "tools"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tools)], check=True)
        for name in ("uv", "uvx"):
            if found := shutil.which(name):
                _stand_in(tools / "bin" / name, found)
        (place / "home").mkdir()
        environment = {
            "HOME": str(place / "home"),
            "PATH": f"{tools / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "OBRA_DATA_DIR": str(place / "data"),
            "OBRA_JUDGE__BASE_URL": "http://127.0.0.1:9",
            "LANG": "C.UTF-8",
            **{name: value for name, value in os.environ.items() if name in _REGISTRIES},
        }
        done = subprocess.run(
            [sys.executable, __file__, "--one", case.name],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_PROJECT_S,
        )
        if done.returncode:
            return {"failed": (done.stderr.strip().splitlines() or ["no output"])[-1][:300]}
        row: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return row
    except subprocess.TimeoutExpired:
        return {"failed": f"not done within {_PROJECT_S / 60:.0f} minutes"}
    finally:
        shutil.rmtree(place, ignore_errors=True)


_REGISTRIES = ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "PIP_INDEX_URL", "NPM_CONFIG_REGISTRY", "https_proxy", "no_proxy",
               "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")  # fmt: skip


def _stand_in(path: Path, program: str) -> None:
    real = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    assert real
    path.symlink_to(_real(program))


def _real(program: str) -> str:
    """Return the program behind a version manager's stand-in."""
    if "/shims/" in program and (manager := shutil.which("pyenv")):
        return subprocess.run(
            [manager, "which", Path(program).name], capture_output=True, text=True, check=True
        ).stdout.strip()
    return os.path.realpath(program)


_CHECK_S, _SETUP_S, _PROJECT_S = 300.0, 600.0, 1500.0
"""What never ends is stopped here, and the table says so."""


def one(case: Case, place: Path) -> dict[str, Any]:
    project = unpacked(case, place)
    lines = {line["name"]: line for line in doctor(project, "--json")}
    proposal = lines.get("set-up", {})
    by_hand = ""
    if proposal.get("fix"):
        written = obra(project, "doctor", "--write")
        by_hand = "" if written.returncode == 0 else written.stderr.strip()
    row: dict[str, Any] = {
        "set_up": proposal.get("fact", "").partition("asks for: ")[2] or proposal.get("fact", ""),
        "by_hand": by_hand,
    }
    looks = asyncio.run(looks_at(case, project))
    row |= looks
    return row


def unpacked(case: Case, place: Path) -> Path:
    """Return the project as a repository with one commit and the tag of its version."""
    downloads, project = place / "downloads", place / "project"
    downloads.mkdir()
    if case.kind == "npm":
        pack = ("npm", "pack", "--silent", case.package)
        subprocess.run(pack, cwd=downloads, check=True, capture_output=True, timeout=_CHECK_S)
    else:
        fetch = ("uvx", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", case.package)
        subprocess.run(fetch, cwd=downloads, check=True, capture_output=True, timeout=_CHECK_S)
    [archive] = downloads.iterdir()
    with tarfile.open(archive) as packed:
        packed.extractall(downloads / "x", filter="data")
    [top] = (downloads / "x").iterdir()
    top.rename(project)
    version = case.package.replace("==", "@").partition("@")[2]
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for arguments in (
        ("init", "-q"),
        ("add", "-A", "-f"),
        (*who, "commit", "-q", "-m", "As released"),
        ("tag", version),
    ):
        subprocess.run(["git", *arguments], cwd=project, check=True)
    return project


def obra(project: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-P", "-m", "obra_tui", *arguments, "-C", str(project)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def doctor(project: Path, *options: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in obra(project, "doctor", *options).stdout.splitlines()]


async def looks_at(case: Case, project: Path) -> dict[str, Any]:
    from obra_tui.config.load import load
    from obra_tui.evidence.checks import LocalCheckRunner
    from obra_tui.evidence.sandbox import Sandbox
    from obra_tui.evidence.workspace import GitWorkspace

    settings = load(project)
    sandbox = Sandbox(data_dir=settings.data_dir)
    workspace = GitWorkspace(
        project=project,
        data_dir=settings.data_dir,
        sandbox=sandbox,
        setup=settings.workspace.setup,
        setup_timeout_s=_SETUP_S,
    )
    checks = LocalCheckRunner(sandbox=sandbox, data_dir=settings.data_dir)
    base = await look(workspace, checks, lambda _: None)
    if base.verdict == "no copy":
        return _without_copy(base)
    honest = await look(workspace, checks, lambda copy: harmless(copy / case.file))
    wrong = await look(workspace, checks, lambda copy: broken(copy / case.file, case))
    return {
        "checks": base.told.partition(" | ")[0],
        "baseline": base.baseline,
        "base": base.verdict,
        "honest": honest.verdict,
        "wrong": wrong.verdict,
        "told": {"base": base.told, "honest": honest.told, "wrong": wrong.told},
        "first_copy_s": base.copied,
        "copy_s": honest.copied,
        "copy_mb": honest.megabytes,
        "checks_s": honest.seconds,
    }


def _without_copy(base: Looked) -> dict[str, Any]:
    """Return the row of a project that could not be set up: nobody would be asked for money for it."""
    return {
        **{"checks": "–", "baseline": "–", "base": "no copy", "honest": "not tried", "wrong": "not tried"},
        "told": {"base": base.told, "honest": "", "wrong": ""},
        **{"first_copy_s": base.copied, "copy_s": 0.0, "copy_mb": 0.0, "checks_s": 0.0},
    }


async def look(workspace: Any, checks: Any, change: Any) -> Looked:
    """Make a copy, change it, run what Obra would run, and say what its gate could see."""
    from msgspec.structs import replace

    from obra_tui.core.errors import ObraError
    from obra_tui.core.ids import new_session_id, new_task_id
    from obra_tui.core.model import CheckStatus, Stage, TaskSpec

    task = TaskSpec(id=new_task_id(), key="T", title="T", prompt="T")
    started = time.monotonic()
    try:
        copy = await workspace.prepare(new_session_id(), task.id, await workspace.head())
    except ObraError as error:
        return Looked("no copy", 0.0, time.monotonic() - started, 0.0, str(error)[-400:])
    copied = time.monotonic() - started
    megabytes = own_megabytes(Path(copy.path))
    change(Path(copy.path))
    changed = not (await workspace.take_diff(copy)).empty
    started = time.monotonic()
    planned = await checks.plan(copy, task)
    specs = [replace(spec, timeout_s=min(spec.timeout_s, _CHECK_S)) for spec in planned]
    results = [await checks.run(spec, copy, lambda _: None) for spec in specs]
    seconds = time.monotonic() - started
    blocking = [result for result in results if result.spec.blocking]
    measured = {result.spec.stage for result in results if result.status is CheckStatus.PASSED}
    needed = {Stage.SYNTAX, Stage.TESTING} if changed else {Stage.TESTING}
    if any(result.status is CheckStatus.TIMED_OUT for result in blocking):
        verdict = "did not end"
    elif any(result.status is CheckStatus.BROKEN for result in blocking):
        verdict = "could not run"
    elif any(result.status is not CheckStatus.PASSED for result in blocking):
        verdict = "stopped"
    else:
        verdict = "passes" if needed <= measured else "no evidence"
    told = "; ".join(
        f"{r.spec.name}: {r.status}"
        + (f" {r.passed}/{(r.passed or 0) + (r.failed or 0)}" if r.passed is not None else "")
        for r in results
    )
    details = " ".join(
        f"[{r.spec.name}] {r.detail} {r.output[-300:]}" for r in blocking if r.status is not CheckStatus.PASSED
    )
    compared = [result.base for result in results if result.base is not None and result.base.passed]
    baseline = "; ".join(f"{one.passed} pass" + (f", {one.failed} fail" if one.failed else "") for one in compared)
    all_told = f"{', '.join(s.name for s in specs)} | {told} | {details}"
    return Looked(verdict, seconds, copied, megabytes, all_told, baseline or "no names")


def own_megabytes(folder: Path) -> float:
    """Return what the copy takes on the disk that it shares with no other."""
    seen = (path.lstat() for path in folder.rglob("*"))
    return sum(found.st_blocks * 512 for found in seen if found.st_nlink == 1 or found.st_mode & 0o040000) / 1e6


def harmless(file: Path) -> None:
    mark = "//" if file.suffix in (".js", ".c") else "#"
    with file.open("a") as out:
        out.write(f"{mark} Nothing else is changed here.\n")


def broken(file: Path, case: Case) -> None:
    text = file.read_text()
    assert case.old in text, f"{case.old!r} is not in {file.name}"
    file.write_text(text.replace(case.old, case.new))


_ABOUT = (
    "Made by `python scripts/repositories.py`: source packages of public registries, each committed as it is, run in a",
    "HOME and with a PATH of its own. *Baseline* is what its tests showed before any work; what failed there is named",
    "and blamed on nobody. *Right* says that the code as it is and an honest change pass, and that a check that ran",
    "stops a change that breaks it. *By hand* is what a person had to write beside `obra doctor --write`. A check is",
    f"stopped after {_CHECK_S:.0f} s, a set-up after {_SETUP_S:.0f} s.",
)
_COLUMNS = (
    *("project", "set-up found", "checks found", "right", "baseline", "honest change", "wrong change"),
    *("first copy", "next copy", "MB each", "checks", "by hand"),
)


# --- the report ---------------------------------------------------------------------------------------------------


def report(rows: dict[str, dict[str, Any]]) -> str:
    packages = {case.name: case.package.replace("==", " ").replace("@", " ") for case in CASES}
    rows = {case.name: rows[case.name] for case in CASES if case.name in rows}
    good = [name for name, row in rows.items() if is_right(row)]
    nothing = [name for name in good if not rows[name]["by_hand"]]
    lines = [
        "# Repositories as they are",
        "",
        *_ABOUT,
        "",
        f"Right in {len(good)} of {len(rows)}, in {len(nothing)} of them with nothing written by hand.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "|---" * len(_COLUMNS) + "|",
    ]
    lines += [table_row(packages[name], row) for name, row in rows.items()]
    lines += ["", "## What went otherwise", ""]
    lines += [f"* {packages[name]}: {why(row)}" for name, row in rows.items() if not is_right(row)] or ["Nothing."]
    if missing := [packages[case.name] for case in CASES if case.name not in rows]:
        lines += ["", f"Known to the script and not run for this table: {', '.join(missing)}."]
    return "\n".join(lines) + "\n"


def is_right(row: dict[str, Any]) -> bool:
    """What breaks the test runner itself, because that builds on the project, is stopped, too: it cannot run."""
    found = (row.get("base"), row.get("honest"))
    return found == ("passes", "passes") and row.get("wrong") in ("stopped", "could not run")


def table_row(package: str, row: dict[str, Any]) -> str:
    if row.get("failed"):
        return f"| {package} |" + " – |" * (len(_COLUMNS) - 1)
    cells = (
        f"`{row['set_up']}`".replace("|", "\\|"), row["checks"], "yes" if is_right(row) else "no",
        row.get("baseline", "–"), row["honest"], row["wrong"],
        f"{row['first_copy_s']:.1f} s", f"{row['copy_s']:.2f} s", f"{row['copy_mb']:.1f}", f"{row['checks_s']:.1f} s",
        row["by_hand"] or ("a set-up that works" if row["base"] == "no copy" else "nothing"),
    )  # fmt: skip
    return f"| {package} | " + " | ".join(cells) + " |"


def why(row: dict[str, Any]) -> str:
    if row.get("failed"):
        return f"not run: {row['failed']}"
    if row["base"] == "no copy":
        return "the set-up failed: " + " ".join(row["told"]["base"].partition(" Correct `workspace")[0].split())[-160:]
    said = next((row["told"][state] for state, wanted in _WANTED if row[state] != wanted), "")
    return " ".join(said.partition(" | ")[2].split())[:500]


_WANTED = (("base", "passes"), ("honest", "passes"), ("wrong", "stopped"))

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
