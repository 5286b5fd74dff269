"""A change that is there already as commits of the person's repository, whoever made it: from where to where, and why.

Reads only. How the work of a run is taken, and how checks run on it, is elsewhere.
"""

from pathlib import Path

from msgspec import Struct

from obra_tui.core.errors import ProjectError
from obra_tui.evidence.git import git_of_project

_MOST_MESSAGES = 50


class ExistingChange(Struct, frozen=True, kw_only=True):
    """The commits between `base` and `head`."""

    base: str
    """Where both histories part: what the other side has gained since is no part of the change."""
    head: str
    title: str
    """First line of the newest commit message; empty when there is no commit."""
    messages: str
    """What the authors say, oldest first. Untrusted."""


async def find_change(project: Path, base: str, head: str) -> ExistingChange:
    """Return the change from `base` to `head`, two names of commits. Raises `ProjectError`."""
    git = git_of_project(project)
    ours, theirs = await _commit(project, base, "--base"), await _commit(project, head, "--head")
    answer = await git.run("merge-base", ours, theirs, good=(0, 1))
    if answer.code or not answer.text:
        raise ProjectError(
            f"{base} and {head} have no commit in common here.",
            where=str(project),
            fix="In a shallow clone, fetch more of the history (`git fetch --unshallow`, fetch-depth: 0 in an Action).",
        )
    parted = answer.text.splitlines()[0]
    log = ("log", "-z", "--reverse", "--no-merges", f"--max-count={_MOST_MESSAGES}", "--format=%B")
    told = [part.decode("utf-8", "replace").strip() for part in (await git.run(*log, theirs, f"^{parted}")).names]
    messages = [text for text in told if text]
    title = messages[-1].splitlines()[0] if messages else ""
    return ExistingChange(base=parted, head=theirs, title=title, messages="\n\n".join(messages))


async def _commit(project: Path, name: str, option: str) -> str:
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    answer = await git_of_project(project).run(*asked, good=(0, 1, 128))
    if answer.code or not answer.text:
        raise ProjectError(
            f"{name!r} names no commit.",
            where=str(project),
            fix=f"Give {option} a branch, a tag or a commit that `git log` knows; fetch it first if it is elsewhere.",
        )
    return answer.text


async def file_at(project: Path, commit: str, path: str) -> bytes | None:
    """Return the content of a file as it was in a commit, None where it was not."""
    git = git_of_project(project)
    found = (await git.run("ls-tree", "-z", commit, "--", path)).names
    if not found or b" blob " not in found[0]:
        return None
    return (await git.run("cat-file", "blob", f"{commit}:{path}")).out
