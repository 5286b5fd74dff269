"""The lock files name what pyproject.toml asks for, each file by its hash, and no place to get it from."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = {
    "requirements.lock": [*PYPROJECT["project"]["dependencies"], *PYPROJECT["dependency-groups"]["dev"]],
    "requirements-realllm.lock": PYPROJECT["dependency-groups"]["realllm"],
}


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def locked(name):
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", text_of(name), re.MULTILINE)
    return {package.lower(): version for package, version in found}


@pytest.mark.parametrize("name", LOCKS)
def test_everything_that_is_asked_for_is_locked_in_a_version_that_fits(name):
    versions = locked(name)
    for wanted in map(Requirement, LOCKS[name]):
        assert wanted.specifier.contains(versions[wanted.name.lower()]), f"{wanted}: run make lock"


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash(name):
    entries = re.split(r"^(?=[A-Za-z0-9])", text_of(name), flags=re.MULTILINE)
    assert all("--hash=sha256:" in entry for entry in entries if "==" in entry)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_place_to_download_from(name):
    assert not re.search(r"://|--(?:extra-)?index-url|--find-links|\s@\s", text_of(name))


DECISION = text_of("docs/decisions/0012-dependencies.md")
IMPORTED_AS = {"claude-agent-sdk": "claude_agent_sdk", "markdown-it-py": "markdown_it"}
PROGRAMS = {"pytest"}
"""Started, not imported."""


def named(requirements):
    return {Requirement(text).name.lower() for text in requirements}


def direct():
    groups = PYPROJECT["dependency-groups"].values()
    extras = PYPROJECT["project"]["optional-dependencies"].values()
    return named(text for texts in (PYPROJECT["project"]["dependencies"], *groups, *extras) for text in texts)


def test_each_direct_dependency_says_what_it_is_for_and_nothing_else_is_listed():
    listed = re.findall(r"^\| `([\w.-]+)` \| [^|]{8,} \| [^|]+ \| [^|]*\d{4}-\d{2}", DECISION, re.MULTILINE)
    assert sorted(listed) == sorted(direct())


def test_the_program_imports_each_package_that_it_asks_for():
    sources = [*(ROOT / "obra_tui").rglob("*.py"), *(ROOT / "widgets").rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources if "scenarios" not in path.parts)
    for name in named(PYPROJECT["project"]["dependencies"]) - PROGRAMS:
        module = IMPORTED_AS.get(name, name.replace("-", "_"))
        assert re.search(rf"^\s*(?:from|import) {module}\b", text, re.MULTILINE), f"nothing imports {name}"
