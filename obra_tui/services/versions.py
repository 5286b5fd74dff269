"""The versions of what took part in a session: they change results, so they are stored with it."""

import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, distribution

_PACKAGES = ("obra-tui", "claude-agent-sdk", "textual", "sqlalchemy", "httpx")


def versions() -> tuple[tuple[str, str], ...]:
    found = [(name, _package(name)) for name in _PACKAGES]
    return (*found, ("python", platform.python_version()), ("git", git_version()))


def git_version() -> str:
    """Return `2.39.5`, or an empty string when git is not there."""
    git = shutil.which("git")
    if git is None:
        return ""
    done = subprocess.run([git, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.removeprefix("git version ").strip()


def _package(name: str) -> str:
    """Return the version by the head of what the package says of itself: to read all of it takes ten times as long."""
    try:
        said = distribution(name).read_text("METADATA") or ""
    except PackageNotFoundError:
        return "unknown"
    head = said.partition("\n\n")[0].splitlines()
    return next((line.removeprefix("Version: ") for line in head if line.startswith("Version: ")), "unknown")
