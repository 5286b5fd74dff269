"""The settings in force as the screen shows them: secrets masked, each with the place to change it."""

import re
from pathlib import Path

from obra_tui.config.load import Settings, explain, user_file
from obra_tui.ui.ports import Setting

_IN_A_FILE = re.compile(r"(?P<file>.+\.toml)(?::(?P<line>\d+))?")


def shown_settings(settings: Settings, project: Path | None) -> tuple[Setting, ...]:
    return tuple(_setting(row.key, row.value, row.source, project) for row in explain(settings))


def _setting(name: str, value: str, origin: str, project: Path | None) -> Setting:
    """What is not in a file yet would be written in the person's own."""
    found = _IN_A_FILE.fullmatch(origin)
    if found is None:
        return Setting(name=name, value=value, origin=origin, file=str(user_file()))
    file = (project or Path()) / found["file"]
    return Setting(name=name, value=value, origin=origin, file=str(file), line=int(found["line"] or 0))
