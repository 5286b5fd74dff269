"""The versions of what took part in a session: they change results, so they are stored with it."""

import platform
from importlib.metadata import PackageNotFoundError, distribution

from obra_tui.system.git import git_version

_PACKAGES = ("obra-tui", "claude-agent-sdk", "textual", "sqlalchemy", "httpx")


def versions() -> tuple[tuple[str, str], ...]:
    found = [(name, _package(name)) for name in _PACKAGES]
    return (*found, *{"python": platform.python_version(), "git": git_version()}.items())


def _package(name: str) -> str:
    """Return the version by the head of what the package says of itself: to read all of it takes ten times as long."""
    try:
        said = distribution(name).read_text("METADATA") or ""
    except PackageNotFoundError:
        return "unknown"
    head = said.partition("\n\n")[0].splitlines()
    return next((line.removeprefix("Version: ") for line in head if line.startswith("Version: ")), "unknown")
