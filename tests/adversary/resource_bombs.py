# ruff: noqa: E501 - programs as they would be written
# ruff: noqa: T201 - a program with output
"""`python -m tests.adversary.resource_bombs`: tests that take all they can get, and what ends them.

Each is the test of a work that is checked as in an attempt, with small limits. It has to end by a limit that is named or
by a sentence about what could not be read; Obra's own process may grow by 50 MB, and its loop has to answer within 100 ms
meanwhile. Two honest works are the control: they must not be stopped. `--unlimited` is the control of the bombs: without
limits, and bounded by the time of the check alone, none is stopped by name.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import psutil

from obra_tui.core.model import CheckSpec, CheckStatus
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.system.limits import UNLIMITED, Limits
from tests.adversary.works import CALC, PYTHON, Work
from tests.evidence.scene import make_scene, task

LIMITS = Limits(memory_mb=400, processes=60, disk_mb=200, output_mb=30)
MOST_GROWTH_MB = 50
MOST_WAIT_S = 0.1
_TIMEOUT_S = 60.0
JUNIT = CheckSpec(name="own", run="python3 bomb.py", junit=True, origin="configured", timeout_s=_TIMEOUT_S)
PLAIN = CheckSpec(name="own", run="python3 bomb.py", origin="configured", timeout_s=_TIMEOUT_S)
PYTEST = CheckSpec(name="pytest", run="python3 -m pytest -q", origin="configured", timeout_s=_TIMEOUT_S)


def _bomb(name: str, code: str, check: CheckSpec = PLAIN, **links: str) -> Work:
    return Work(
        name,
        {**PYTHON, "bomb.py": "import calc\n"},
        {"calc.py": code + CALC},
        links=links,
        checks=(check,),
    )


BOMBS = (
    _bomb("memory of one process", "kept = []\nwhile True:\n    kept.append(bytearray(20_000_000))\n"),
    _bomb("memory of many processes", "import os, time\nfor _ in range(20):\n    if not os.fork():\n        kept = bytearray(40_000_000)\n        time.sleep(50)\ntime.sleep(50)\n"),
    _bomb("processes", "import os, time\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n    time.sleep(0.05)\n"),
    _bomb("processes that leave their parents", "import os, time\nfor _ in range(500):\n    if not os.fork():\n        os.setsid()\n        if os.fork():\n            os._exit(0)\n        time.sleep(50)\n    time.sleep(0.01)\ntime.sleep(50)\n"),
    _bomb("one large file", "with open('/tmp/large', 'wb') as file:\n    while True:\n        file.write(b'x' * 1_000_000)\n"),
    _bomb("many files", "import os\nos.makedirs('/tmp/many')\nfor n in range(10 ** 9):\n    with open(f'/tmp/many/{n}', 'wb') as file:\n        file.write(b'x' * 1_000_000)\n"),
    _bomb("the tree itself", "for n in range(10 ** 9):\n    with open(f'more{n}', 'wb') as file:\n        file.write(b'x' * 5_000_000)\n"),
    _bomb("files that exist in memory", "with open('/dev/shm/x', 'wb') as file:\n    while True:\n        file.write(b'x' * 1_000_000)\n"),
    _bomb("output", "import sys\nwhile True:\n    sys.stdout.write('x' * 1_000_000)\n"),
    _bomb("lines of output", "while True:\n    print('x')\n"),
    _bomb("a report that never ends", "import os\nos.symlink('/dev/zero', os.environ['OBRA_JUNIT'])\n", JUNIT),
    _bomb("a report of 200 MB", "import os\nwith open(os.environ['OBRA_JUNIT'], 'w') as file:\n    file.write('<testsuite>')\n    for n in range(190):\n        file.write(f\"<testcase name='{n}'/>\" + ' ' * 1_000_000)\n    file.write('</testsuite>')\n", JUNIT),
    _bomb("a report of many entities", "import os\nwith open(os.environ['OBRA_JUNIT'], 'w') as file:\n    file.write('<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\">' + ''.join(f'<!ENTITY b{n} \"' + (f'&b{n-1};' if n else '&a;') * 10 + '\">' for n in range(12)) + ']><testsuite><testcase name=\"&b11;\"/></testsuite>')\n", JUNIT),
    _bomb("a report that is a pipe", "import os\nos.mkfifo(os.environ['OBRA_JUNIT'])\n", JUNIT),
    _bomb("nothing but time", "while True:\n    pass\n", CheckSpec(name="own", run="python3 bomb.py", origin="configured", timeout_s=3.0)),
)  # fmt: skip
MANIFESTS = ("pyproject.toml", "setup.cfg", "tox.ini", "package.json", "Makefile", "ruff.toml", "go.mod", "Cargo.toml")
HONEST = (
    Work("an ordinary run", PYTHON, {"calc.py": CALC + "# more\n"}, checks=(PYTEST,)),
    _bomb(
        "a run that uses much",
        "kept = bytearray(150_000_000)\nopen('/tmp/x', 'wb').write(b'x' * 50_000_000)\nprint('x' * 5_000_000)\n",
    ),
)


class Ticking:
    """How long the loop let others wait, and by how much this process grew."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._before = psutil.Process().memory_info().rss
        self.grew_mb = 0.0

    async def __aenter__(self) -> "Ticking":
        self._task = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _tick(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            self.longest = max(self.longest, time.monotonic() - before - 0.01)
            self.grew_mb = max(self.grew_mb, (psutil.Process().memory_info().rss - self._before) / 1e6)


async def tried(work: Work, folder: Path, limits: Limits) -> tuple[CheckStatus, str, Ticking]:
    """Check a work; returns what came of it, in words, and what it did to this process."""
    data = folder / "scene" / "data"
    scene = make_scene(folder / "scene", work.base, sandbox=Sandbox(data_dir=data, limits=limits))
    copy = await scene.copy()
    for name, text in work.files.items():
        Path(copy.path, name).write_text(text or "")
    for name, target in work.links.items():
        Path(copy.path, name).unlink(missing_ok=True)
        Path(copy.path, name).symlink_to(target)
    runner = scene.checks(*work.checks)
    async with Ticking() as ticking:
        await scene.workspace.take_diff(copy)
        specs = await runner.plan(copy, task())
        results = [await runner.run(spec, copy, lambda _: None) for spec in specs]
    worst = next((item for item in results if item.status is not CheckStatus.PASSED), results[0])
    return worst.status, worst.detail or (worst.output.strip().splitlines() or ["no word"])[-1], ticking


def manifests() -> tuple[Work, ...]:
    return tuple(
        Work(f"{name} leads to what never ends", PYTHON, {"calc.py": CALC + "# more\n"}, links={name: "/dev/zero"})
        for name in MANIFESTS
    )


async def _report(work: Work, limits: Limits, wanted: bool | None) -> bool:
    with tempfile.TemporaryDirectory(prefix="obra-bomb-", ignore_cleanup_errors=True) as folder:
        status, words, ticking = await tried(work, Path(folder).resolve(), limits)
    passed = status is CheckStatus.PASSED
    fits = (wanted is None or passed is wanted) and ticking.grew_mb <= MOST_GROWTH_MB and ticking.longest <= MOST_WAIT_S
    print(
        f"  {'✓' if fits else '✗'} {work.name}: {status}: {words[:110]} "
        f"[+{ticking.grew_mb:.0f} MB, waited {ticking.longest * 1000:.0f} ms]",
        flush=True,
    )
    return fits


async def _all(limits: Limits, words: list[str]) -> int:
    wrong = 0
    for works, wanted in ((BOMBS, False), (manifests(), None), (HONEST, True)):
        chosen = [work for work in works if not words or any(word in work.name for word in words)]
        right = sum([await _report(work, limits, wanted) for work in chosen])
        kind = {False: "bombs ended", None: "endless manifests left alone", True: "honest works left alone"}[wanted]
        print(f"{right} of {len(chosen)} {kind}.", flush=True)
        wrong += len(chosen) - right
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unlimited", action="store_true", help="a control: what only bounds the output and the time")
    parser.add_argument("words", nargs="*", help="only works whose names hold one of these")
    given = parser.parse_args()
    if given.unlimited:
        harmless = ["output", "one large file"]
        return 0 if asyncio.run(_all(UNLIMITED, harmless)) else 1
    return 1 if asyncio.run(_all(LIMITS, given.words)) else 0


if __name__ == "__main__":
    sys.exit(main())
