"""Long output on a terminal goes through the person's pager, and diffs in it are coloured; elsewhere nothing changes.

`NO_COLOR`, `TERM=dumb` and `PAGER=cat` are kept to, as git keeps to them.
"""

import contextlib
import io
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextvars import ContextVar

from obra_tui.core.text import visible

_colour: ContextVar[bool] = ContextVar("colour", default=False)
_RESET, _BOLD = "\x1b[m", "\x1b[1m"
_COLOURS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}
_HEAD = ("diff --git ", "index ", "--- ", "+++ ", "new file ", "deleted file ", "similarity ", "rename ", "old mode ")


@contextlib.contextmanager
def paged() -> Iterator[None]:
    """Hold what is printed and show it by a pager when it is longer than the terminal."""
    out = sys.stdout
    if not out.isatty():
        yield
        return
    held = io.StringIO()
    token = _colour.set(not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb")
    try:
        with contextlib.redirect_stdout(held):
            yield
    finally:
        _colour.reset(token)
        _show(held.getvalue())


def echo_diff(patch: str) -> None:
    """Print a diff, coloured where that was found to be wanted."""
    text = visible(patch)
    sys.stdout.write(f"\n{coloured(text) if _colour.get() else text}\n")


def coloured(patch: str) -> str:
    """The same patch with the colours of git's own diffs."""
    return "\n".join(_coloured_lines(patch.split("\n")))


def _coloured_lines(lines: Iterable[str]) -> Iterator[str]:
    in_hunk = False
    for line in lines:
        in_hunk = line.startswith("@@") or (in_hunk and not line.startswith("diff --git "))
        heading = _BOLD if line.startswith(_HEAD) else ""
        colour = _COLOURS.get(line[:1], "") if in_hunk else heading
        yield f"{colour}{line}{_RESET}" if colour else line


def _show(text: str) -> None:
    command = shlex.split(os.environ.get("PAGER", "less"))
    fits = text.count("\n") < shutil.get_terminal_size().lines
    if fits or not command or command == ["cat"] or shutil.which(command[0]) is None:
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    subprocess.run(
        command,
        input=text,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        env={"LESS": "FRX", **os.environ},
    )
