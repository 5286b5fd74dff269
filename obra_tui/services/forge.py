"""Accepted work becomes a pull request, issues become tasks, and what a pull request met comes back as one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from obra_tui.core.errors import ConfigError, ForgeError, NotAllowed
from obra_tui.core.forge import Forge, ForgeIssue, ForgeRemark, PullRequest, RequestText
from obra_tui.core.lifecycle import State
from obra_tui.core.records.pull_request import body_of, status_of, title_of
from obra_tui.forge.address import Repository, repository_of, token_for
from obra_tui.forge.forgejo import Forgejo
from obra_tui.forge.github import GithubForge
from obra_tui.forge.gitlab import GitLab
from obra_tui.system.git import SLOW_S, GitCall, GitStopped, first_message, run_blocking

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.core.ids import SessionId
    from obra_tui.core.records.history import AttemptDetail, History, SessionDetail

SOURCE = "pull request "
"""How the source of a task begins that came from one."""


class PreparedRequest(Struct, frozen=True, kw_only=True):
    """What a pull request of a session would say."""

    session: SessionDetail
    title: str
    body: str


class OpenedRequest(Struct, frozen=True, kw_only=True):
    request: PullRequest
    is_new: bool
    commit: str
    state: str
    """Of the status that was set."""


def prepare(settings: Settings, history: History, session: SessionId) -> PreparedRequest:
    """Return the text for a session's pull request. Raises `NotAllowed` when nothing of it was accepted."""
    detail = history.session(session)
    accepted = accepted_of(history, detail)
    if not accepted:
        raise NotAllowed(
            "Nothing of this session was accepted: there is nothing to ask for.",
            where=session,
            fix="`obra review` lists the gates that wait.",
        )
    body = body_of(detail, accepted, link_of(settings, session))
    return PreparedRequest(session=detail, title=title_of(detail), body=body)


def accepted_of(history: History, detail: SessionDetail) -> tuple[AttemptDetail, ...]:
    """Return the attempts whose work is on the branch, in the order of the tasks."""
    there = {task.id for task in detail.tasks if task.state is State.ACCEPTED and not task.reverted}
    last = {item.task: item for item in detail.attempts if item.accepted and item.task in there}
    return tuple(history.attempt(last[task.id].id) for task in detail.tasks if task.id in last)


def link_of(settings: Settings, session: SessionId) -> str:
    return f"{settings.web.public_url}/sessions/{session}" if settings.web.public_url else ""


def open_request(settings: Settings, prepared: PreparedRequest, *, base: str, draft: bool) -> OpenedRequest:
    """Push the session's branch, open or update its one pull request, label it and set its status."""
    project, branch = Path(prepared.session.summary.project), prepared.session.branch
    with open_forge(settings, project) as forge:
        target = base or settings.forge.base or forge.default_branch()
        if not target:
            raise ForgeError("The forge names no default branch.", fix="Name one: --base main")
        commit = push(project, settings.forge.remote, branch)
        wanted = RequestText(branch=branch, base=target, title=prepared.title, body=prepared.body, draft=draft)
        found = forge.open_request(branch)
        request = forge.create(wanted) if found is None else forge.update(found.number, wanted)
        if settings.forge.labels:
            forge.label(request.number, settings.forge.labels)
        status = status_of(prepared.session, link_of(settings, prepared.session.summary.id) or request.url)
        forge.set_status(commit, status)
        return OpenedRequest(request=request, is_new=found is None, commit=commit, state=status.state)


def remarks_of(settings: Settings, detail: SessionDetail) -> tuple[ForgeRemark, ...]:
    """Return what checks and people said about a session's pull request. Raises `NotAllowed` unless it is wanted."""
    if not settings.forge.ci_back:
        raise NotAllowed(
            "What others wrote is not taken in as a task unless you allow it.",
            where="forge.ci_back",
            fix="Read the pull request first, then set forge.ci_back = true in your own settings.",
        )
    with open_forge(settings, Path(detail.summary.project)) as forge:
        found = forge.open_request(detail.branch)
        if found is None:
            raise NotAllowed("This session has no open pull request.", fix=f"Open one: obra pr {detail.summary.id}")
        red = forge.red_checks(found.head) if found.head else ()
        return (*red, *forge.comments(found.number))


def issues_of(settings: Settings, project: Path, *, number: int | None, label: str) -> tuple[ForgeIssue, ...]:
    """Return one issue, or the open ones with a label. Raises `NotAllowed` unless it is wanted."""
    if not settings.forge.issues:
        raise NotAllowed(
            "Issues, which anybody may have written, are not made into tasks unless you allow it.",
            where="forge.issues",
            fix="Set forge.issues = true in your own settings.",
        )
    with open_forge(settings, project) as forge:
        return (forge.issue(number),) if number is not None else forge.issues(label)


@contextmanager
def open_forge(settings: Settings, project: Path) -> Iterator[Forge]:
    """Open the forge that the project's remote leads to, with the person's own token."""
    own = settings.forge
    address = _git(project, "remote", "get-url", own.remote, what=f"There is no remote {own.remote}.")
    repository = repository_of(address, own.kind, own.url)
    forge = _adapter(repository, token_for(repository))
    try:
        yield forge
    finally:
        forge.close()


def _adapter(repository: Repository, token: str) -> Forge:
    match repository.kind:
        case "github":
            return GithubForge(repository, token)
        case "gitlab":
            return GitLab(repository, token)
        case _:
            return Forgejo(repository, token)


def push(project: Path, remote: str, branch: str) -> str:
    """Push a branch of the person's repository, with their hooks and login; returns its commit."""
    commit = _git(project, "rev-parse", "--verify", f"refs/heads/{branch}^{{commit}}", what=f"There is no {branch}.")
    _git(
        project,
        *("push", "--porcelain", remote, f"refs/heads/{branch}:refs/heads/{branch}"),
        what="The branch could not be pushed.",
    )
    return commit


def _git(project: Path, *arguments: str, what: str) -> str:
    call = GitCall(arguments=arguments, options=("-C", str(project)), as_person=True)
    try:
        done = run_blocking(call, timeout_s=SLOW_S)
    except (OSError, GitStopped):
        raise ConfigError(what, where=str(project), fix="git did not answer: try it by hand.") from None
    if done.code:
        rejected = [line for line in done.text.splitlines() if line.startswith("!")]
        said = (rejected or [first_message(done.err)])[0]
        raise ForgeError(f"{what} git says: {said}", where=str(project), fix="Try the same by hand, and mend it there.")
    return done.text
