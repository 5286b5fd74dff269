"""From a git remote to a repository of a forge, and the token for it: from the environment, its program, or git.

A token is handed to whoever asks it here and is stored nowhere.
"""

import os
import re
import subprocess
from urllib.parse import urlsplit

from msgspec import Struct

from obra_tui.core.errors import ForgeError

_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>\[[^\]]+\]|[^:/]+):(?P<path>(?!//).+)")
_VARIABLES = {
    "github": ("GH_TOKEN", "GITHUB_TOKEN"),
    "forgejo": ("FORGEJO_TOKEN", "GITEA_TOKEN"),
    "gitlab": ("GITLAB_TOKEN",),
}
_PROGRAM_S = 20.0


class Repository(Struct, frozen=True, kw_only=True):
    kind: str
    host: str
    path: str
    """`owner/name`; deeper on GitLab."""
    api: str
    """Where its interface begins, without a slash at the end."""


def repository_of(remote: str, kind: str = "auto", api: str = "") -> Repository:
    """Return what a remote's address names. Raises `ForgeError` when it names no forge that is known."""
    host, path = _host_and_path(remote)
    found = _kind_of(host) if kind == "auto" else kind
    if not found:
        raise ForgeError(
            f"It is not known what kind of forge {host} is.",
            where="forge.kind",
            fix='Set it to "github", "forgejo" (also for Gitea) or "gitlab".',
        )
    return Repository(kind=found, host=host, path=path, api=api or _api_of(found, host))


def _host_and_path(remote: str) -> tuple[str, str]:
    parts = urlsplit(remote)
    if parts.scheme in ("https", "http", "ssh", "git") and parts.hostname:
        port = f":{parts.port}" if parts.scheme in ("https", "http") and parts.port else ""
        host, path = f"{parts.hostname}{port}", parts.path
    elif "://" not in remote and (scp := _SCP.fullmatch(remote)):
        host, path = scp["host"], scp["path"]
    else:
        host, path = "", ""
    path = path.strip("/").removesuffix(".git")
    if not host or path.count("/") < 1 or ".." in path.split("/"):
        raise ForgeError(
            "The remote leads to no forge.",
            where=re.sub(r"//[^/@]*@", "//", remote),
            fix="Name another one by forge.remote; `git remote -v` lists them.",
        )
    return host, path


def _kind_of(host: str) -> str:
    name = host.partition(":")[0].lower()
    if "github" in name:
        return "github"
    if "gitlab" in name:
        return "gitlab"
    return "forgejo" if any(word in name for word in ("forgejo", "gitea", "codeberg")) else ""


def _api_of(kind: str, host: str) -> str:
    match kind:
        case "github":
            return "https://api.github.com" if host == "github.com" else f"https://{host}/api/v3"
        case "gitlab":
            return f"https://{host}/api/v4"
        case _:
            return f"https://{host}/api/v1"


def token_for(repository: Repository) -> str:
    """Return the token. Raises `ForgeError` with where one could come from."""
    names = _VARIABLES[repository.kind]
    given = next((value for name in names if (value := os.environ.get(name, "").strip())), "")
    if not given and repository.kind == "github":
        given = _said("gh", "auth", "token", "--hostname", repository.host)
    given = given or _from_git(repository.host)
    if not given:
        login = " log in with `gh auth login`," if repository.kind == "github" else ""
        raise ForgeError(
            f"There is no token for {repository.host}.",
            fix=f"Set {names[0]},{login} or store a password for it in git's credential helper.",
        )
    return given


def _from_git(host: str) -> str:
    answer = _said("git", "credential", "fill", given=f"protocol=https\nhost={host}\n\n")
    return next((line.removeprefix("password=") for line in answer.splitlines() if line.startswith("password=")), "")


def _said(*command: str, given: str = "") -> str:
    """Return what a program of the person's printed; nothing when it is not there, asks, or refuses."""
    quiet = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": "", "GH_PROMPT_DISABLED": "1"}
    try:
        done = subprocess.run(
            command,
            input=given,
            env=quiet,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=_PROGRAM_S,
            check=False,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
