"""GitLab, where a pull request is called a merge request."""

from typing import Any
from urllib.parse import quote

from obra_tui.core.errors import ForgeError
from obra_tui.core.forge import CommitStatus, ForgeIssue, ForgeRemark, PullRequest, RequestText
from obra_tui.forge.address import Repository
from obra_tui.forge.client import ForgeClient
from obra_tui.forge.reading import number, text

_DRAFT = "Draft: "
_STATES = {"success": "success", "pending": "pending", "failure": "failed"}


class GitLab:
    """Implements `core.forge.Forge`."""

    def __init__(self, repository: Repository, token: str) -> None:
        self._path = f"/projects/{quote(repository.path, safe='')}"
        self._client = ForgeClient(repository.api, {"private-token": token})

    def close(self) -> None:
        self._client.close()

    def default_branch(self) -> str:
        return text(self._client.get(self._path), "default_branch")

    def open_request(self, branch: str) -> PullRequest | None:
        found = self._client.pages(f"{self._path}/merge_requests", source_branch=branch, state="opened")
        return next((_request(item) for item in found if text(item, "source_branch") == branch), None)

    def create(self, request: RequestText) -> PullRequest:
        body = {"source_branch": request.branch, "target_branch": request.base, **_words(request)}
        return _request(self._client.send("POST", f"{self._path}/merge_requests", body))

    def update(self, number: int, request: RequestText) -> PullRequest:
        return _request(self._client.send("PUT", f"{self._path}/merge_requests/{number}", _words(request)))

    def label(self, number: int, labels: tuple[str, ...]) -> None:
        self._client.send("PUT", f"{self._path}/merge_requests/{number}", {"add_labels": ",".join(labels)})

    def set_status(self, commit: str, status: CommitStatus) -> None:
        body = {"state": _STATES[status.state], "name": status.context, "description": status.said}
        more = {"target_url": status.url} if status.url else {}
        try:
            self._client.send("POST", f"{self._path}/statuses/{commit}", {**body, **more})
        except ForgeError as error:
            if "Cannot transition status" not in error.what:  # it is what it was set to before
                raise

    def red_checks(self, commit: str) -> tuple[ForgeRemark, ...]:
        found = self._client.pages(f"{self._path}/repository/commits/{commit}/statuses")
        return tuple(
            ForgeRemark(by=text(item, "name"), text=text(item, "description"), url=text(item, "target_url"))
            for item in found
            if text(item, "status") == "failed" and not text(item, "name").startswith("obra/")
        )

    def comments(self, number: int) -> tuple[ForgeRemark, ...]:
        found = self._client.pages(f"{self._path}/merge_requests/{number}/notes", sort="asc")
        return tuple(_note(item) for item in found if not item.get("system") and text(item, "body").strip())

    def issue(self, number: int) -> ForgeIssue:
        return _issue(self._client.get(f"{self._path}/issues/{number}"))

    def issues(self, label: str) -> tuple[ForgeIssue, ...]:
        found = self._client.pages(f"{self._path}/issues", labels=label, state="opened", sort="asc")
        return tuple(_issue(item) for item in found)


def _words(request: RequestText) -> dict[str, str]:
    title = f"{_DRAFT}{request.title}" if request.draft else request.title
    return {"title": title, "description": request.body}


def _request(item: Any) -> PullRequest:
    return PullRequest(number=number(item, "iid"), url=text(item, "web_url"), head=text(item, "sha"))


def _note(item: Any) -> ForgeRemark:
    line = number(item, "position", "new_line")
    path = text(item, "position", "new_path")
    return ForgeRemark(
        by=text(item, "author", "username"), text=text(item, "body"), place=f"{path}:{line}" if line else path
    )


def _issue(item: Any) -> ForgeIssue:
    return ForgeIssue(
        number=number(item, "iid"),
        title=text(item, "title"),
        text=text(item, "description"),
        by=text(item, "author", "username"),
        url=text(item, "web_url"),
    )
