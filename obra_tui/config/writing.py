"""Puts one setting into a project's own file, as a person would with an editor: nothing else in it is changed.

A file that was trusted, or that is new, is trusted as it is afterwards: the person who asked has read what was added.
"""

import json
import os
import re
import tomllib
from pathlib import Path

from obra_tui.config import trust
from obra_tui.config.trust import project_file
from obra_tui.core.errors import ConfigError

_TABLE = re.compile(r"(?m)^[ \t]*\[[ \t]*workspace[ \t]*\][^\n]*(?:\n|\Z)")


def write_setup(project: Path, data_dir: Path, commands: tuple[str, ...]) -> tuple[Path, bool]:
    """Set `workspace.setup` in the project's file; returns the file and whether it is trusted now."""
    file = project_file(project) or project / ".obra" / "config.toml"
    try:
        before = file.read_bytes() if file.exists() else b""
        after = with_setup(before.decode("utf-8"), commands, str(file)).encode("utf-8")
        was_trusted = not before or trust.is_trusted(data_dir, file, before)
        _replace(file, after)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The project's settings cannot be written: {error}.",
            where=str(file),
            fix="Make the folder writable for you, or put workspace.setup into your own settings.",
        ) from error
    if was_trusted:
        trust.remember(data_dir, file, after)
    return file, was_trusted


def with_setup(text: str, commands: tuple[str, ...], where: str) -> str:
    """Return the text of a settings file with the set-up in it."""
    try:
        known = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The file is no TOML: {error}.", where=where, fix="Correct it and try again.") from error
    workspace = known.get("workspace", {})
    if isinstance(workspace, dict) and workspace.get("setup"):
        raise ConfigError(
            "workspace.setup is set there already.", where=where, fix="Change or remove it there; nothing was written."
        )
    line = f"setup = [{', '.join(json.dumps(command, ensure_ascii=False) for command in commands)}]\n"
    if "setup" in workspace:
        text = re.sub(r"(?m)^[ \t]*(?:workspace\.)?setup[ \t]*=[ \t]*\[[ \t]*\][^\n]*\n?", "", text)
    if table := _TABLE.search(text):
        head = text[: table.end()]
        return f"{head}{'' if head.endswith(chr(10)) else chr(10)}{line}{text[table.end() :]}"
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}[workspace]\n{line}"


def _replace(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_bytes(content)
    if file.exists():
        os.chmod(fresh, file.stat().st_mode)  # noqa: PTH101
    fresh.replace(file)
