"""GitHub, also an enterprise's own."""

from typing import Any

from obra_tui.core.forge import CommitStatus, ForgeIssue, ForgeRemark, PullRequest, RequestText
from obra_tui.forge.address import Repository
from obra_tui.forge.client import ForgeClient
from obra_tui.forge.reading import number, text

_RED = {"failure", "timed_out", "action_required", "startup_failure"}
_MOST_SAID = 140


class GithubForge:
    """Implements `core.forge.Forge`."""

    def __init__(self, repository: Repository, token: str) -> None:
        self._path = f"/repos/{repository.path}"
        self._owner = repository.path.partition("/")[0]
        self._client = ForgeClient(
            repository.api,
            {
                "authorization": f"Bearer {token}",
                "accept": "application/vnd.github+json",
                "x-github-api-version": "2022-11-28",
            },
        )

    def close(self) -> None:
        self._client.close()

    def default_branch(self) -> str:
        return text(self._client.get(self._path), "default_branch")

    def open_request(self, branch: str) -> PullRequest | None:
        asked = {"head": f"{self._owner}:{branch}", "state": "open"}
        found = self._client.pages(f"{self._path}/pulls", **asked)
        return next((_request(item) for item in found if text(item, "head", "ref") == branch), None)

    def create(self, request: RequestText) -> PullRequest:
        body = {"title": request.title, "body": request.body, "head": request.branch, "base": request.base}
        return _request(self._client.send("POST", f"{self._path}/pulls", {**body, "draft": request.draft}))

    def update(self, number: int, request: RequestText) -> PullRequest:
        body = {"title": request.title, "body": request.body}
        return _request(self._client.send("PATCH", f"{self._path}/pulls/{number}", body))

    def label(self, number: int, labels: tuple[str, ...]) -> None:
        self._client.send("POST", f"{self._path}/issues/{number}/labels", {"labels": list(labels)})

    def set_status(self, commit: str, status: CommitStatus) -> None:
        body = {"state": status.state, "context": status.context, "description": status.said[:_MOST_SAID]}
        more = {"target_url": status.url} if status.url else {}
        self._client.send("POST", f"{self._path}/statuses/{commit}", {**body, **more})

    def red_checks(self, commit: str) -> tuple[ForgeRemark, ...]:
        runs = self._client.pages(f"{self._path}/commits/{commit}/check-runs", "check_runs")
        red = [_of_run(item) for item in runs if text(item, "conclusion") in _RED]
        statuses = self._client.pages(f"{self._path}/commits/{commit}/status", "statuses")
        for item in statuses:
            if text(item, "state") in ("failure", "error") and not text(item, "context").startswith("obra/"):
                said = ForgeRemark(
                    by=text(item, "context"), text=text(item, "description"), url=text(item, "target_url")
                )
                red.append(said)
        return tuple(red)

    def comments(self, number: int) -> tuple[ForgeRemark, ...]:
        reviews = self._client.pages(f"{self._path}/pulls/{number}/reviews")
        placed = self._client.pages(f"{self._path}/pulls/{number}/comments")
        plain = self._client.pages(f"{self._path}/issues/{number}/comments")
        return tuple(_comment(item) for part in (reviews, placed, plain) for item in part if text(item, "body").strip())

    def issue(self, number: int) -> ForgeIssue:
        return _issue(self._client.get(f"{self._path}/issues/{number}"))

    def issues(self, label: str) -> tuple[ForgeIssue, ...]:
        found = self._client.pages(f"{self._path}/issues", labels=label, state="open", direction="asc")
        return tuple(_issue(item) for item in found if "pull_request" not in item)


def _request(item: Any) -> PullRequest:
    return PullRequest(number=number(item, "number"), url=text(item, "html_url"), head=text(item, "head", "sha"))


def _of_run(item: Any) -> ForgeRemark:
    words = "\n".join(filter(None, (text(item, "output", "title"), text(item, "output", "summary"))))
    return ForgeRemark(by=text(item, "name"), text=words or text(item, "conclusion"), url=text(item, "html_url"))


def _comment(item: Any) -> ForgeRemark:
    line = number(item, "line")
    place = f"{text(item, 'path')}:{line}" if line else text(item, "path")
    return ForgeRemark(by=text(item, "user", "login"), text=text(item, "body"), place=place, url=text(item, "html_url"))


def _issue(item: Any) -> ForgeIssue:
    return ForgeIssue(
        number=number(item, "number"),
        title=text(item, "title"),
        text=text(item, "body"),
        by=text(item, "user", "login"),
        url=text(item, "html_url"),
    )
