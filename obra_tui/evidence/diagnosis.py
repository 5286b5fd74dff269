"""Tells a check that failed because something is not installed from one that failed for the work.

What is missing in the environment nobody can mend by changing the code: it becomes *broken*, with what to do about it.
A name that neither the project nor its manifests know may be a slip of the work, and stays a failure of it.
"""

import re
from pathlib import Path

from msgspec.structs import replace

from obra_tui.core.model import CheckStatus
from obra_tui.evidence.projects.reading import Project
from obra_tui.evidence.projects.setup_finder import propose
from obra_tui.evidence.reading import Execution

_MISSING = re.compile(
    r"No module named ['\"]?([\w.]+)|Cannot find (?:module|package) ['\"]([^'\"./][^'\"]*)['\"]|"
    r"(?:sh|bash): (?:line )?\d+: (\S+): (?:command )?not found"
)
_NO_OPTION = re.compile(r"unrecognized arguments: (.+)")
_MANIFESTS = ("pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "package.json", "requirements.txt", "Pipfile")
_MOST_TEXT = 20_000


def of_environment(found: Execution, files: Path, *, is_set_up: bool) -> Execution:
    """Return the run as it is, or as broken when all that failed is missing in the environment."""
    if found.status is CheckStatus.BROKEN and (option := _NO_OPTION.search(found.output)):
        text = f"It does not know {option[1].strip()}: a plugin that the project's options ask for may be missing."
        return replace(found, detail=f"{found.detail} {text} {_remedy(files, is_set_up)}".strip())
    if found.status is not CheckStatus.FAILED:
        return found
    names = _missing_in(found)
    if not names or not all(_is_of_environment(name, files, is_set_up) for name in names):
        return found
    what = ", ".join(f"`{name}`" for name in names[:3])
    verb = "is" if len(names) == 1 else "are"
    return replace(
        found,
        status=CheckStatus.BROKEN,
        detail=f"{what} {verb} not installed where checks run. {_remedy(files, is_set_up)}",
    )


def _missing_in(found: Execution) -> list[str]:
    """Return the names that are missing, if that is why everything failed; else nothing."""
    if found.failures:
        each = [_MISSING.search(failure.message) for failure in found.failures]
        if not all(each):
            return []
        names = [next(filter(None, match.groups())) for match in each if match]
    else:
        names = [next(filter(None, match.groups())) for match in _MISSING.finditer(found.output[-_MOST_TEXT:])]
    return list(dict.fromkeys(name.split(".")[0] for name in names))


def _is_of_environment(name: str, files: Path, is_set_up: bool) -> bool:
    if any((files / place / ending).exists() for place in ("", "src", "lib") for ending in (name, f"{name}.py")):
        return False
    project = Project(files)
    if not is_set_up and propose(files) is not None:
        return True
    wanted = re.compile(rf"(?<![\w-]){re.escape(name).replace('_', '[-_.]')}(?![\w-])", re.IGNORECASE)
    texts = [project.text(manifest) for manifest in _MANIFESTS]
    texts += [project.text(path) for path in project.files if re.search(r"requirements[^/]*\.txt$", path)]
    return any(wanted.search(text) for text in texts)


def _remedy(files: Path, is_set_up: bool) -> str:
    proposal = None if is_set_up else propose(files)
    if proposal is None:
        return "Add what installs it to `workspace.setup`."
    return f"`obra doctor --write` sets the project up: {' && '.join(proposal.setup)}"
