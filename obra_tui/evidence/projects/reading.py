"""Reads the manifests of a project: regular files of a sane size, no links, and what is broken says nothing.

Knows no package tool; the other modules here say what the contents mean.
"""

import configparser
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from obra_tui.evidence.untracked import JUNK

_MOST_BYTES = 1 << 20
_MOST_FILES = 50_000
_DEEP = 6


class Project:
    """The files below one folder. Every answer about what is not there is empty."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def has(self, *names: str) -> bool:
        return any(_is_plain(self.root / name) for name in names)

    def text(self, name: str) -> str:
        path = self.root / name
        try:
            if not _is_plain(path) or path.stat().st_size > _MOST_BYTES:
                return ""
            return path.read_text("utf-8-sig", "replace")
        except OSError:
            return ""

    def json(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads(self.text(name) or "{}")
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def toml(self, name: str) -> dict[str, Any]:
        try:
            return tomllib.loads(self.text(name))
        except (ValueError, RecursionError):
            return {}

    def unreadable(self) -> Iterator[tuple[str, str]]:
        """Yield the manifests that are there and say nothing, each with what is wrong with it."""
        for name, read in (("package.json", json.loads), ("pyproject.toml", tomllib.loads)):
            if not self.has(name):
                continue
            try:
                found = read(self.text(name))
            except (ValueError, RecursionError) as error:
                yield name, str(error)
            else:
                if not isinstance(found, dict):
                    yield name, "it holds no table of names"

    def ini(self, name: str) -> Mapping[str, Mapping[str, str]]:
        return sections_of(self.text(name))

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Return the paths of all files, junk and hidden folders left out, the nearer ones first."""
        found: list[str] = []
        for folder, folders, files in os.walk(self.root):
            inner = os.path.relpath(folder, self.root)
            depth = 0 if inner == "." else inner.count("/") + 1
            kept = [n for n in folders if n not in JUNK and (not n.startswith(".") or n == ".github")]
            folders[:] = sorted(kept) if depth < _DEEP else []
            found.extend(name if inner == "." else f"{inner}/{name}" for name in sorted(files))
            if len(found) > _MOST_FILES:
                break
        return tuple(found)

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        return self.toml("pyproject.toml")

    @cached_property
    def package(self) -> dict[str, Any]:
        return self.json("package.json")

    @cached_property
    def scripts(self) -> dict[str, str]:
        """Return the scripts of `package.json`."""
        scripts = self.package.get("scripts")
        return {k: v for k, v in scripts.items() if isinstance(v, str)} if isinstance(scripts, dict) else {}


def sections_of(text: str) -> Mapping[str, Mapping[str, str]]:
    """Return the sections of an INI file; a broken one has none."""
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    return {section: {k: v or "" for k, v in parser.items(section)} for section in parser.sections()}


def table(value: object, *path: str) -> dict[str, Any]:
    """Return the table at a path of tables; empty when something else is there."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def texts(value: object) -> tuple[str, ...]:
    """Return the texts of a list."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def lines_of(value: str) -> tuple[str, ...]:
    """Return the lines of a text with those that end in a backslash joined, without comments."""
    joined = re.sub(r"\s*\\\n\s*", " ", value)
    return tuple(line for part in joined.splitlines() if (line := part.strip()) and not line.startswith("#"))


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
