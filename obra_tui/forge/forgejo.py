"""Forgejo and Gitea, whose interface it is."""

from typing import Any

from obra_tui.core.errors import ForgeError
from obra_tui.core.forge import CommitStatus, ForgeIssue, ForgeRemark, PullRequest, RequestText
from obra_tui.forge.address import Repository
from obra_tui.forge.client import ForgeClient
from obra_tui.forge.reading import number, text

_DRAFT = "WIP: "


class Forgejo:
    """Implements `core.forge.Forge`."""

    def __init__(self, repository: Repository, token: str) -> None:
        self._path = f"/repos/{repository.path}"
        self._client = ForgeClient(repository.api, {"authorization": f"token {token}"})

    def close(self) -> None:
        self._client.close()

    def default_branch(self) -> str:
        return text(self._client.get(self._path), "default_branch")

    def open_request(self, branch: str) -> PullRequest | None:
        found = self._client.pages(f"{self._path}/pulls", state="open")
        return next((_request(item) for item in found if text(item, "head", "ref") == branch), None)

    def create(self, request: RequestText) -> PullRequest:
        title = f"{_DRAFT}{request.title}" if request.draft else request.title
        body = {"title": title, "body": request.body, "head": request.branch, "base": request.base}
        return _request(self._client.send("POST", f"{self._path}/pulls", body))

    def update(self, number: int, request: RequestText) -> PullRequest:
        title = f"{_DRAFT}{request.title}" if request.draft else request.title
        return _request(
            self._client.send("PATCH", f"{self._path}/pulls/{number}", {"title": title, "body": request.body})
        )

    def label(self, number: int, labels: tuple[str, ...]) -> None:
        known = {text(item, "name"): item.get("id") for item in self._client.pages(f"{self._path}/labels")}
        missing = [name for name in labels if name not in known]
        if missing:
            raise ForgeError(
                f"The repository has no label {', '.join(missing)}.", where="forge.labels", fix="Make it there first."
            )
        ids = [known[name] for name in labels]
        self._client.send("POST", f"{self._path}/issues/{number}/labels", {"labels": ids})

    def set_status(self, commit: str, status: CommitStatus) -> None:
        body = {"state": status.state, "context": status.context, "description": status.said, "target_url": status.url}
        self._client.send("POST", f"{self._path}/statuses/{commit}", body)

    def red_checks(self, commit: str) -> tuple[ForgeRemark, ...]:
        found = self._client.pages(f"{self._path}/commits/{commit}/statuses")
        latest: dict[str, Any] = {}
        for item in found:  # the newest comes first
            latest.setdefault(text(item, "context"), item)
        return tuple(
            ForgeRemark(by=context, text=text(item, "description"), url=text(item, "target_url"))
            for context, item in latest.items()
            if (text(item, "status") or text(item, "state")) in ("failure", "error") and not context.startswith("obra/")
        )

    def comments(self, number: int) -> tuple[ForgeRemark, ...]:
        found = [_comment(item) for item in self._client.pages(f"{self._path}/issues/{number}/comments")]
        for review in list(self._client.pages(f"{self._path}/pulls/{number}/reviews")):
            found.append(_comment(review))
            path = f"{self._path}/pulls/{number}/reviews/{review.get('id')}/comments"
            found.extend(_comment(item) for item in self._client.pages(path))
        return tuple(item for item in found if item.text.strip())

    def issue(self, number: int) -> ForgeIssue:
        return _issue(self._client.get(f"{self._path}/issues/{number}"))

    def issues(self, label: str) -> tuple[ForgeIssue, ...]:
        found = self._client.pages(f"{self._path}/issues", labels=label, state="open", type="issues")
        return tuple(sorted((_issue(item) for item in found), key=lambda item: item.number))


def _request(item: Any) -> PullRequest:
    return PullRequest(number=number(item, "number"), url=text(item, "html_url"), head=text(item, "head", "sha"))


def _comment(item: Any) -> ForgeRemark:
    line = number(item, "position")
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
