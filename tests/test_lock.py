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
