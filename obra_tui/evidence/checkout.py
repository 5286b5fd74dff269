"""Writes the files of a commit into an empty folder, with a repository of its own beside them."""

import shutil
from pathlib import Path

from obra_tui.evidence.own_git import lay_out_git
from obra_tui.evidence.repository import OwnRepository
from obra_tui.system.git import SLOW_S


async def check_out(repository: OwnRepository, work: Path, index: Path, base: str) -> None:
    """Fill `work`, standing on `base`; `index` is ours for it. Objects are read from the supervisor's repository."""
    index.unlink(missing_ok=True)
    await repository.reading(work, index).run("read-tree", "--reset", "-u", base, timeout_s=SLOW_S)
    lay_out_git(work / ".git", repository.directory, base)
    shutil.copy(index, work / ".git" / "index")
