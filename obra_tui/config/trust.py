"""Which project files the person has read and allowed to run commands.

A file is trusted by its path and its exact content: any change asks again.
Knows nothing of what is written in such a file.
"""

import hashlib
import os
from pathlib import Path

from obra_tui.core.errors import ConfigError

_BOOK = "trusted"


def _entry(file: Path, content: bytes) -> str:
    return f"{hashlib.sha256(content).hexdigest()}  {file.resolve()}"


def is_trusted(data_dir: Path, file: Path, content: bytes) -> bool:
    try:
        book = (data_dir / _BOOK).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ConfigError(
            f"The list of trusted projects cannot be read: {error.strerror}.",
            where=str(data_dir / _BOOK),
            fix="Make it readable for you, or delete it and trust your projects again.",
        ) from error
    return _entry(file, content) in book.splitlines()


def remember(data_dir: Path, file: Path, content: bytes) -> None:
    """Trust `file` as long as it holds exactly `content`."""
    if is_trusted(data_dir, file, content):
        return
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        book = os.open(data_dir / _BOOK, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(book, "a", encoding="utf-8") as out:
            out.write(_entry(file, content) + "\n")
    except OSError as error:
        raise ConfigError(
            f"The trust cannot be written down: {error.strerror}.",
            where=str(data_dir / _BOOK),
            fix="Check the permissions and the free space of the data directory (OBRA_DATA_DIR).",
        ) from error
