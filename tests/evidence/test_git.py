"""How git is told things and heard."""

import os
from pathlib import Path

import pytest

from obra_tui.evidence.git import Git, GitFailed, together

BARE = Git(options=(), where="git")


async def test_what_git_is_told_and_says_may_be_longer_than_any_pipe_holds(tmp_path: Path):
    long = b"line\n" * 300_000
    hashed = await BARE.run("hash-object", "--stdin", stdin=long)
    echoed = await BARE.run("stripspace", stdin=b"a" * 300_000)
    assert len(hashed.text) == 40
    assert echoed.text == "a" * 300_000


async def test_a_system_without_files_in_memory_uses_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(os, "memfd_create", raising=False)
    assert (await BARE.run("version")).text.startswith("git version ")
    assert (await BARE.run("stripspace", stdin=b"a")).text == "a"


async def test_the_first_failure_of_two_is_told_when_both_have_ended():
    with pytest.raises(GitFailed, match="rev-parse"):
        await together(BARE.run("version"), BARE.run("rev-parse", "--verify", "no-such-thing"))


async def test_a_failure_names_the_command_and_not_an_option_before_it():
    with pytest.raises(GitFailed, match="git rev-parse failed"):
        await BARE.run("-c", "core.fsync=all", "rev-parse", "--verify", "no-such-thing")
