"""Another program in the terminal while the app steps aside: a shell or the person's editor, in a copy."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from textual.app import SuspendNotSupported

if TYPE_CHECKING:
    from obra_tui.ui.app import ObraApp

Program = Literal["shell", "editor"]


def edit_text(app: ObraApp, text: str, name: str) -> tuple[str | None, str]:
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


def step_aside(app: ObraApp, program: Program, folder: str) -> str:
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
