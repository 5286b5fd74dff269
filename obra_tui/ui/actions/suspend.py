"""The person's shell or editor in the terminal, while the app is suspended."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from textual.app import SuspendNotSupported

from obra_tui.ui.host import Suspendable

_LINE_AFTER_A_COLON = {"code": ("-g",), "codium": ("-g",), "cursor": ("-g",), "zed": (), "subl": (), "hx": ()}
"""Editors that want `file:12`; all others take `+12 file`, as vi does."""


def editor_at(editor: str, file: str, line: int) -> list[str]:
    """Return the command that opens a file at a line (1-based, 0 for none); empty without an editor."""
    words = shlex.split(editor)
    if not words or not line:
        return [*words, file] if words else []
    before = _LINE_AFTER_A_COLON.get(Path(words[0]).name)
    return [*words, f"+{line}", file] if before is None else [*words, *before, f"{file}:{line}"]


def edit_file(app: Suspendable, file: str, line: int = 0) -> str:
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


Program = Literal["shell", "editor"]


def edit_text(app: Suspendable, text: str, name: str) -> tuple[str | None, str]:
    """Let the person change a text in their editor; returns it, or None and what went wrong."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    if not editor.strip():
        return None, "No editor is named: set $EDITOR."
    with tempfile.TemporaryDirectory(prefix="obra-edit-") as folder:
        file = Path(folder) / Path(name).name
        file.write_text(text, encoding="utf-8")
        try:
            with app.suspend():
                ended = subprocess.run([*shlex.split(editor), str(file)], check=False)
            if ended.returncode:
                return None, f"{editor} ended with {ended.returncode}: nothing was changed."
            return file.read_text(encoding="utf-8"), ""
        except SuspendNotSupported:
            return None, "This terminal cannot be handed to another program."
        except (OSError, UnicodeDecodeError) as error:
            return None, f"What {editor} wrote cannot be read: {error}."


def command_of(program: Program, environment: Mapping[str, str]) -> list[str]:
    """Return what is to be run; empty when the person has named no editor."""
    if program == "shell":
        return [environment.get("SHELL") or "/bin/sh"]
    editor = environment.get("VISUAL") or environment.get("EDITOR") or ""
    return [*shlex.split(editor), "."] if editor.strip() else []


def run_in_terminal(app: Suspendable, program: Program, folder: str) -> str:
    """Run the program in `folder` until it ends; returns what went wrong, if anything.

    Nothing can be pressed meanwhile: the program has the terminal. The engine goes on in its own thread.
    """
    command = command_of(program, os.environ)
    if not command:
        return "No editor is named: set $EDITOR."
    try:
        with app.suspend():
            print(f"You are in the copy {folder}. Leave the program to go back to Obra.", flush=True)  # noqa: T201
            subprocess.run(command, cwd=folder, check=False)
    except SuspendNotSupported:
        return "This terminal cannot be handed to another program."
    except OSError as error:
        return f"{command[0]} could not be started in {folder}: {error.strerror}."
    return ""
