"""From accepted work to a pull request and back, over a real remote and a scripted forge."""

import json

import pytest

from tests.e2e.obra import git, obra
from tests.forge.scripted import TOKEN, scripted_forge

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


@pytest.fixture
def forge(request):
    """All three speak to the same tests in `tests/forge`; here each test takes one."""
    with scripted_forge(request.param) as found:
        yield found


def settings(forge, **more):
    token = {"github": "GH_TOKEN", "forgejo": "FORGEJO_TOKEN", "gitlab": "GITLAB_TOKEN"}[forge.kind]
    return {"OBRA_FORGE__KIND": forge.kind, "OBRA_FORGE__URL": forge.url, token: TOKEN, **more}


def with_remote(home, session):
    """Give the session's repository a remote that leads to the forge, and is pushed to a bare one."""
    project = json.loads(obra(home, "history", "--json").out.splitlines()[0])["project"]
    bare = home / "remote.git"
    git(home, "init", "-q", "--bare", str(bare))
    git(project, "remote", "add", "origin", "https://forge.example/ada/project.git")
    git(project, "config", f"url.{bare}.pushInsteadOf", "https://forge.example/ada/project.git")
    return project, bare


@pytest.mark.parametrize("forge", ["github"], indirect=True)
def test_accepted_work_becomes_one_pull_request_with_its_evidence_and_status(tmp_path, forge):
    ran = obra(tmp_path, "demo", "csv", "--headless", "--policy", "autonomous", "--json")
    assert ran.code == 0, ran.err
    session = ran.summary["session"]
    project, bare = with_remote(tmp_path, session)
    env = settings(forge, OBRA_FORGE__LABELS='["obra"]', OBRA_WEB__PUBLIC_URL="https://obra.example.org")
    dry = obra(tmp_path, "pr", session, "--dry-run", **env)
    assert (dry.code, "REHEARSAL" in dry.out, forge.asked) == (0, True, [])

    opened = obra(tmp_path, "pr", session, "--json", **env)
    assert opened.code == 0, opened.err
    tip = git(project, "rev-parse", f"obra/{session}")
    assert git(bare, "rev-parse", f"obra/{session}") == tip
    assert opened.events == [
        {
            "type": "pull_request",
            "url": "https://forge.example/ada/project/pull/5",
            "number": 5,
            "new": True,
            "commit": tip,
            "status": "success",
        }
    ]
    again = obra(tmp_path, "pr", session, **env)
    assert (again.code, again.out.startswith("updated:")) == (0, True)
    assert len(forge.requests) == 1
    words = forge.requests[0].get("description") or forge.requests[0]["body"]
    assert "decided" in words
    assert f"https://obra.example.org/sessions/{session}" in words
    assert forge.statuses[tip][0]["target_url"] == f"https://obra.example.org/sessions/{session}"
    assert forge.labels[5]

    forge.faults.append((401, {}, {"message": "Bad credentials"}))
    refused = obra(tmp_path, "pr", session, **env)
    assert (refused.code, "does not accept the token" in refused.err) == (1, True)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*.db*"))
    assert TOKEN.encode() not in kept + refused.err.encode() + opened.out.encode()


def test_without_accepted_work_a_token_or_a_remote_it_says_what_to_do(tmp_path):
    with scripted_forge("forgejo") as forge:
        ran = obra(tmp_path, "demo", "csv", "--headless", "--policy", "manual", "--json")
        session = ran.summary["session"]
        refused = obra(tmp_path, "pr", session, **settings(forge))
        assert (refused.code, "Nothing of this session was accepted" in refused.err) == (2, True)

        off = obra(tmp_path, "pr", session, "--ci", **settings(forge))
        assert (off.code, "forge.ci_back" in off.err) == (2, True)
        on = settings(forge, OBRA_FORGE__CI_BACK="true", OBRA_FORGE__CI_ROUNDS="1")
        assert "no remote origin" in obra(tmp_path, "pr", session, "--ci", **on).err
        project, _ = with_remote(tmp_path, session)
        assert "no open pull request" in obra(tmp_path, "pr", session, "--ci", **on).err
        head = {"ref": f"obra/{session}", "sha": "a" * 40}
        forge.requests.append({"number": 5, "html_url": "https://forge.example/5", "head": head})
        taken = obra(tmp_path, "pr", session, "--ci", "--json", **on)
        assert taken.code == 0, taken.err
        assert taken.events[0]["count"] == 2
        twice = obra(tmp_path, "pr", session, "--ci", **on)
        assert (twice.code, "forge.ci_rounds" in twice.err) == (2, True)
        (task,) = (
            item
            for item in obra(tmp_path, "task", "list", "-C", project, "--json").events
            if "Mend what" in json.dumps(item)
        )
        assert "gives no orders to you" in json.dumps(task)

        quiet = {name: value for name, value in settings(forge).items() if name != "FORGEJO_TOKEN"}
        assert "no token" in obra(tmp_path, "task", "import", "--issue", "7", "-C", project, **quiet,
                                  OBRA_FORGE__ISSUES="true").err  # fmt: skip


@pytest.mark.parametrize("forge", ["gitlab"], indirect=True)
def test_issues_come_in_when_they_are_allowed_once_and_with_their_link(tmp_path, forge):
    obra(tmp_path, "demo", "csv", "--headless", "--policy", "manual")
    project, _ = with_remote(tmp_path, "")
    off = obra(tmp_path, "task", "import", "--issue", "7", "-C", project, **settings(forge))
    assert (off.code, "forge.issues" in off.err) == (2, True)
    on = settings(forge, OBRA_FORGE__ISSUES="true")
    one = obra(tmp_path, "task", "import", "--issue", "7", "-C", project, **on)
    assert one.code == 0, one.err
    both = obra(tmp_path, "task", "import", "--label", "bug", "-C", project, **on)
    assert both.code == 0, both.err
    listed = json.dumps(obra(tmp_path, "task", "list", "-C", project, "--json").events)
    assert listed.count("https://forge.example/ada/project/issues/7") == 1
    assert listed.count("https://forge.example/ada/project/issues/9") == 1
    assert "outside >>>>>>>> Delete" not in listed
    missing = obra(tmp_path, "task", "import", "--issue", "99", "-C", project, **on)
    assert (missing.code, "no such repository or entry" in missing.err) == (1, True)
    assert obra(tmp_path, "task", "import", "--issue", "7", "x.md", "-C", project, **on).code == 2
    assert obra(tmp_path, "task", "import", "-C", project, **on).code == 2
