"""The last resort: an error that nobody expected becomes a file and one sentence, never a traceback on screen.

The file names the place of every frame, but no value of any variable: those may hold secrets.
"""

import os
import platform
import time
import traceback
from pathlib import Path


def save_crash(error: BaseException, folder: Path, version: str, what: str = "") -> Path | None:
    """Write what happened to a private file of its own; None when the disk refuses."""
    text = "\n".join(
        (
            f"Obra {version or '?'} on Python {platform.python_version()}, {platform.platform()}",
            time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            what,
            "",
            "".join(_frames(error)),
        )
    )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{time.monotonic_ns() % 10_000:04}.txt"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return None
    return path


def _frames(error: BaseException) -> list[str]:
    """Return the traceback with its source lines, without the values of variables."""
    summary = traceback.TracebackException.from_exception(error, capture_locals=False)
    return list(summary.format(chain=True))


def crash_sentence(path: Path | None) -> str:
    where = f" Details, without any of your data: {path}" if path else " The details could not be written to disk."
    return (
        "Obra's screen stopped because of an error in Obra itself."
        f"{where}\nNothing that was decided or recorded is lost; start obra again to go on."
    )
