"""A file of the person's own, opened in their editor at a line."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

_LINE_AFTER_A_COLON = {"code": ("-g",), "codium": ("-g",), "cursor": ("-g",), "zed": (), "subl": (), "hx": ()}
"""Editors that want `file:12`; all others take `+12 file`, as vi does."""


def editor_at(editor: str, file: str, line: int) -> list[str]:
    """Return the command that opens a file at a line (1-based, 0 for none); empty without an editor."""
    words = shlex.split(editor)
    if not words or not line:
        return [*words, file] if words else []
    before = _LINE_AFTER_A_COLON.get(Path(words[0]).name)
    return [*words, f"+{line}", file] if before is None else [*words, *before, f"{file}:{line}"]


def edit_file(app: App[Any], file: str, line: int = 0) -> str:
    """Open a file of the person's own in their editor; returns what went wrong, if anything."""
    command = editor_at(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "", file, line)
    if not command:
        return f"No editor is named: set $EDITOR, or open {file} yourself."
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with app.suspend():
            ended = subprocess.run(command, check=False)
    except SuspendNotSupported:
        return "This terminal cannot be handed to another program."
    except OSError as error:
        return f"{command[0]} could not be started: {error.strerror}."
    return f"{command[0]} ended with {ended.returncode}." if ended.returncode else ""
