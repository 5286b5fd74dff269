"""No. 16: a second task on a large repository with a large environment, against a worktree and the set-up by hand."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import asyncio
import hashlib
import json
import os
import subprocess
import tempfile
import time
import zipfile
from dataclasses import dataclass

from benchmarks.harness import Figure, arguments, median, report
from benchmarks.support_supervised import Workshop, many_calculators, workshop
from obra_tui.core.ids import new_session_id, new_task_id
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.evidence.workspace import GitWorkspace

SETUP = "uv venv .venv && uv pip install --offline --no-index --find-links vendor -r requirements.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    files: int
    packaged_files: int
    each_bytes: int


def wheel(folder: Path, size: Size) -> None:
    """Write a package of so many files, which a package tool unpacks: hundreds of megabytes in a small file."""
    folder.mkdir()
    info = "bulky-1.0.dist-info"
    with zipfile.ZipFile(folder / "bulky-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(size.packaged_files):
            text = f"# {number}\n" + f"value_{number} = {number}\n" * (size.each_bytes // 24)
            packed.writestr(f"bulky/part_{number // 100}/module_{number}.py", text)
        packed.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: bulky\nVersion: 1.0\n")
        packed.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr(f"{info}/RECORD", "")


def scenario(folder: Path, size: Size) -> Path:
    """Two calculators in a repository of so many files."""
    many_calculators(folder, 2)
    repo = folder / "repo"
    for number in range(size.files):
        path = repo / f"docs/part_{number // 100}/page_{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(hashlib.sha256(str(number).encode()).hexdigest() * 30)
    wheel(repo / "vendor", size)
    (repo / "requirements.txt").write_text("bulky==1.0\n")
    return folder


def second_task(shop: Workshop) -> dict[str, float]:
    """Seconds from the end of the first task to the second one's copy, and to Claude Code's first output in it."""
    shop.supervised()
    records = [json.loads(line) for line in shop.printed.splitlines()][:-1]
    tasks = list(dict.fromkeys(record["task"] for record in records if record.get("task")))
    begun = max(float(record["at"]) for record in records if record.get("task") == tasks[0])
    own = [record for record in records if record.get("task") == tasks[-1]]

    def first(*kinds: str) -> float:
        return next(float(one["at"]) for one in own if one["event"]["type"] in kinds) - begun

    return {
        "copy_s": first("copy_prepared"),
        "first_word_s": first("text_streamed", "text_finished", "tool_started"),
    }


def added_megabytes(folder: Path, repository: Path) -> float:
    """Return what one more copy takes on the disk that it shares with no other."""
    data = folder / "data"
    sandbox = Sandbox(data_dir=data)
    workspace = GitWorkspace(project=repository, data_dir=data, sandbox=sandbox, setup=(SETUP,))

    async def two() -> str:
        head = await workspace.head()
        await workspace.prepare(new_session_id(), new_task_id(), head)
        return (await workspace.prepare(new_session_id(), new_task_id(), head)).path

    return _own_megabytes(Path(asyncio.run(two())))


def _own_megabytes(folder: Path) -> float:
    """What lies there and shares its blocks with nothing by another name."""
    seen = [path.lstat() for path in folder.rglob("*")]
    return sum(found.st_blocks * 512 for found in seen if found.st_nlink == 1) / 1e6


def by_hand(repository: Path, place: Path, home: Path) -> float:
    """Seconds of a worktree and of the project's own set-up in it, with warm caches."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "UV_CACHE_DIR": str(home / "uv")}
    began = time.perf_counter()
    subprocess.run(["git", "worktree", "add", "-q", "--detach", str(place)], cwd=repository, check=True)
    subprocess.run(["sh", "-c", SETUP], cwd=place, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    """Runs of a plan of two tasks, and as many worktrees."""
    quick = arguments(__doc__ or "").quick
    size = (
        Size(files=700, packaged_files=600, each_bytes=5_000)
        if quick
        else Size(files=7_000, packaged_files=6_000, each_bytes=50_000)
    )
    runs = 1 if quick else 3
    with tempfile.TemporaryDirectory(prefix="obra-b-") as name:
        folder = Path(name)
        with workshop(scenario(folder / "scenario", size), folder / "home") as shop:
            shop.set_up(SETUP)
            shop.supervised()
            repository = folder / "home" / "repository-1"
            by_hand(repository, folder / "worktree-0", folder / "by-hand")
            ours, theirs = [], []
            for number in range(1, runs + 1):
                ours.append(second_task(shop))
                theirs.append(by_hand(repository, folder / f"worktree-{number}", folder / "by-hand"))
        added = added_megabytes(folder / "copies", repository)
    word, copy = median([one["first_word_s"] for one in ours]), median([one["copy_s"] for one in ours])
    hand = median(theirs)
    report(
        Figure(
            name="16 the second task on a large repository",
            target="to Claude's first word <= 0.25x by hand and <= 2 s; disk added <= 50 MB",
            ours={"first_word_s": round(word, 2), "copy_s": round(copy, 2), "added_mb": round(added, 1)},
            peer={"worktree_and_set_up_s": round(hand, 2)},
            ratio=round(word / hand, 2),
            met=word <= 0.25 * hand and word <= 2.0 and added <= 50,
            how=f"{size.files:,} files, an environment of {size.packaged_files * size.each_bytes / 1e6:.0f} MB;"
            " from the end of the first task to Claude Code's first output in the second, its start included;"
            f" {runs} alternated runs against `git worktree add`, `uv venv` and `uv pip install` from a warm cache,"
            " which link what is installed where the disk allows it",
        )
    )


if __name__ == "__main__":
    main()
