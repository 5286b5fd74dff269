"""The three forges by one port, and what each of their errors says to a person."""

import pytest

from obra_tui.core.errors import ForgeError
from obra_tui.core.forge import CommitStatus, RequestText
from obra_tui.forge import client
from obra_tui.forge.address import Repository, repository_of, token_for
from obra_tui.forge.forgejo import Forgejo
from obra_tui.forge.github import GithubForge
from obra_tui.forge.gitlab import GitLab
from tests.forge.scripted import TOKEN, scripted_forge

ADAPTERS = {"github": GithubForge, "forgejo": Forgejo, "gitlab": GitLab}
WANTED = RequestText(branch="obra/s1", base="main", title="Calculator", body="Evidence.")
GREEN = CommitStatus(state="success", context="obra/gate", said="1 of 1 tasks accepted", url="https://o.example/s")


@pytest.fixture(autouse=True)
def no_waits(monkeypatch):
    waited = []
    monkeypatch.setattr(client.time, "sleep", waited.append)
    return waited


@pytest.fixture(params=sorted(ADAPTERS))
def both(request):
    with scripted_forge(request.param) as forge:
        adapter = ADAPTERS[request.param](
            Repository(kind=request.param, host="forge.example", path="ada/project", api=forge.url), TOKEN
        )
        yield forge, adapter
        adapter.close()


def test_one_request_is_opened_once_and_updated_after_that(both):
    forge, adapter = both
    assert adapter.default_branch() == "main"
    assert adapter.open_request("obra/s1") is None
    made = adapter.create(WANTED)
    assert (made.number, made.head) == (5, "a" * 40)
    assert adapter.open_request("obra/s1") == made
    assert adapter.open_request("obra/s2") is None
    adapter.update(made.number, RequestText(branch="obra/s1", base="main", title="Better", body="More."))
    assert forge.requests[0]["title"] == "Better"
    assert "More." in (forge.requests[0].get("body"), forge.requests[0].get("description"))


def test_labels_and_the_status_of_the_commit_are_set(both):
    forge, adapter = both
    adapter.create(WANTED)
    adapter.label(5, ("obra",))
    assert forge.labels[5] == [3] if forge.kind == "forgejo" else ["obra"]
    adapter.set_status("a" * 40, GREEN)
    (told,) = forge.statuses["a" * 40]
    assert told["state"] == "success"
    assert "obra/gate" in (told.get("context"), told.get("name"))
    assert told["target_url"] == "https://o.example/s"


def test_a_status_that_failed_has_the_word_of_its_forge(both):
    forge, adapter = both
    adapter.set_status("b" * 40, CommitStatus(state="failure", context="obra/gate", said="0 of 1"))
    assert forge.statuses["b" * 40][0]["state"] == ("failed" if forge.kind == "gitlab" else "failure")


def test_red_checks_and_comments_are_read_and_our_own_status_is_none_of_them(both):
    _, adapter = both
    red = {item.by: item.text for item in adapter.red_checks("a" * 40)}
    assert red["docs"] == "broken link"
    assert "obra/gate" not in red
    assert next((item.by, item.text) for item in adapter.comments(5)) == ("eve", "This is slow.")


def test_issues_are_read_by_number_and_by_label_without_pull_requests(both):
    _, adapter = both
    found = adapter.issue(7)
    assert (found.number, found.title, found.by) == (7, "Subtract", "eve")
    assert [item.number for item in adapter.issues("obra")] == [7, 9]


def test_a_status_that_gitlab_has_already_is_no_error():
    with scripted_forge("gitlab") as forge:
        adapter = GitLab(Repository(kind="gitlab", host="x", path="ada/project", api=forge.url), TOKEN)
        forge.faults.append((400, {}, {"message": "Cannot transition status via :enqueue from :pending"}))
        adapter.set_status("a" * 40, GREEN)
        forge.faults.append((400, {}, {"message": "sha is invalid"}))
        with pytest.raises(ForgeError, match="sha is invalid"):
            adapter.set_status("a" * 40, GREEN)


ERRORS = [
    (401, {}, {"message": "Bad credentials"}, "does not accept the token"),
    (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}, {}, "no more requests for now"),
    (403, {}, {"message": "Resource not accessible"}, "may not do this"),
    (404, {}, {"message": "Not Found"}, "no such repository"),
    (409, {}, {"message": "conflict"}, "refuses it as things stand"),
    (422, {}, {"message": "Validation Failed", "errors": [{"message": "No commits"}]}, "No commits"),
    (400, {}, {"message": ["title is missing"]}, "does not take what was sent"),
    (301, {"Location": "http://127.0.0.1:9/"}, {}, "has moved"),
    (500, {}, b"<html>oops</html>", "fault of its own"),
    (503, {}, {}, "fault of its own"),
]


@pytest.mark.parametrize(("status", "headers", "body", "says"), ERRORS)
def test_each_error_says_what_it_means_and_never_holds_the_token(both, status, headers, body, says):
    forge, adapter = both
    forge.faults.append((status, headers, body))
    with pytest.raises(ForgeError) as caught:
        adapter.create(WANTED)
    assert says in str(caught.value)
    assert caught.value.fix
    assert TOKEN not in f"{caught.value!r} {caught.value} {caught.value.__context__}"
    assert len(forge.asked) == 1, "what may have been done is not done again"
    assert not forge.requests


def test_a_fault_that_passes_is_waited_for_where_nothing_was_changed(both, no_waits):
    forge, adapter = both
    forge.faults.extend([(503, {}, {}), (429, {"Retry-After": "7"}, {})])
    assert adapter.default_branch() == "main"
    assert no_waits == [1.0, 7.0]
    forge.faults.append((429, {"Retry-After": "2"}, {}))  # nothing was done, says the forge: it may be sent again
    assert adapter.create(WANTED).number == 5


def test_a_long_limit_is_told_and_not_waited_for(both, no_waits):
    forge, adapter = both
    forge.faults.append((429, {"Retry-After": "3600"}, {}))
    with pytest.raises(ForgeError, match="Try again later"):
        adapter.default_branch()
    assert no_waits == []


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"message": 5}', b"null", b'{"default_branch": {}}'])
def test_an_answer_of_another_kind_ends_in_an_error_or_in_nothing(both, body):
    forge, adapter = both
    forge.faults.append((200, {}, body))
    try:
        assert adapter.default_branch() == ""
    except ForgeError as error:
        assert "not understood" in str(error)


def test_a_forge_that_is_away_is_told():
    adapter = GithubForge(Repository(kind="github", host="x", path="a/b", api="http://127.0.0.1:9"), TOKEN)
    with pytest.raises(ForgeError, match="could not be reached"):
        adapter.default_branch()


def test_a_token_is_never_sent_unencrypted_to_another_machine():
    with pytest.raises(ForgeError, match="unencrypted"):
        GithubForge(Repository(kind="github", host="x", path="a/b", api="http://forge.example"), TOKEN)


ADDRESSES = [
    ("https://github.com/ada/project.git", ("github", "ada/project", "https://api.github.com")),
    ("git@github.com:ada/project.git", ("github", "ada/project", "https://api.github.com")),
    ("ssh://git@github.example.com:2222/ada/project", ("github", "ada/project", "https://github.example.com/api/v3")),
    ("https://ada:secret@codeberg.org/ada/project/", ("forgejo", "ada/project", "https://codeberg.org/api/v1")),
    ("https://gitlab.com/team/sub/project.git", ("gitlab", "team/sub/project", "https://gitlab.com/api/v4")),
    ("https://gitea.example:3000/ada/project", ("forgejo", "ada/project", "https://gitea.example:3000/api/v1")),
]


@pytest.mark.parametrize(("remote", "means"), ADDRESSES)
def test_a_remote_says_which_forge_and_which_repository(remote, means):
    found = repository_of(remote)
    assert (found.kind, found.path, found.api) == means


@pytest.mark.parametrize("remote", ["/srv/git/project.git", "https://ada:secret@h/x", "", "../up", "https://h/../a/b"])
def test_a_remote_that_is_no_forge_is_refused_without_its_password(remote):
    with pytest.raises(ForgeError) as caught:
        repository_of(remote)
    assert "secret" not in str(caught.value)


def test_an_unknown_host_asks_for_its_kind():
    with pytest.raises(ForgeError, match=r"forge\.kind"):
        repository_of("https://code.example.org/ada/project")
    assert repository_of("https://code.example.org/ada/project", "forgejo").kind == "forgejo"


def test_a_token_comes_from_the_environment_or_from_git_and_its_absence_is_told(tmp_path, monkeypatch):
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "FORGEJO_TOKEN", "GITEA_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    repository = repository_of("https://codeberg.org/ada/project")
    with pytest.raises(ForgeError, match="FORGEJO_TOKEN"):
        token_for(repository)
    helper = tmp_path / "helper"
    helper.write_text('#!/bin/sh\n[ "$1" = get ] && echo username=ada && echo password=from-git\n')
    helper.chmod(0o755)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "credential.helper")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(helper))
    assert token_for(repository) == "from-git"
    monkeypatch.setenv("GITEA_TOKEN", "from-environment")
    assert token_for(repository) == "from-environment"
