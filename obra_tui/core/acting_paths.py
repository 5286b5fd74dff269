"""What acts at the person's machine: files that tools of theirs obey as soon as they are there.

One list for the gate, which asks before it takes such a change in, for the permission rules, which ask before Claude
writes one, and for whatever else must know. Matched by name wherever it lies, as a file, a folder or a link, and
however its letters are cased: some file systems do not tell them apart. Pure.
"""

import re
from pathlib import PurePosixPath

AGENTS = "instructions for agents"
CLAUDE = "Claude Code's configuration"
EDITOR = "acts in an editor"
SHELL = "acts in a shell"
HOOK = "a hook of git"
GIT = "tells git what to run or to fetch"
CI = "CI"
OBRA = "Obra's configuration"

_NAMED: dict[str, str] = {
    ".claude": CLAUDE, ".mcp.json": CLAUDE, "claude.md": CLAUDE, "claude.local.md": CLAUDE,
    "agents.md": AGENTS, "gemini.md": AGENTS, ".cursorrules": AGENTS, ".cursor": AGENTS, ".windsurfrules": AGENTS,
    ".windsurf": AGENTS, ".clinerules": AGENTS, ".roo": AGENTS, ".aider.conf.yml": AGENTS, ".codex": AGENTS,
    ".gemini": AGENTS, ".agents": AGENTS, "copilot-instructions.md": AGENTS,
    ".obra": OBRA, "obra.toml": OBRA,
    ".vscode": EDITOR, ".idea": EDITOR, ".fleet": EDITOR, ".zed": EDITOR, ".vs": EDITOR, ".exrc": EDITOR,
    ".nvimrc": EDITOR, ".nvim.lua": EDITOR, ".vimrc": EDITOR, ".dir-locals.el": EDITOR, ".sublime-project": EDITOR,
    ".devcontainer": EDITOR, ".devcontainer.json": EDITOR, ".gitpod.yml": EDITOR,
    ".envrc": SHELL, ".autoenv": SHELL, ".autoenv.zsh": SHELL, ".bashrc": SHELL, ".zshrc": SHELL, ".profile": SHELL,
    ".bash_profile": SHELL, ".gdbinit": SHELL, ".lldbinit": SHELL,
    ".husky": HOOK, ".githooks": HOOK, ".git-hooks": HOOK, "githooks": HOOK, "lefthook.yml": HOOK,
    "lefthook.yaml": HOOK, ".lefthook.yml": HOOK, ".lefthook": HOOK, ".pre-commit-config.yaml": HOOK,
    ".pre-commit-hooks.yaml": HOOK, ".overcommit.yml": HOOK, ".lintstagedrc": HOOK, ".huskyrc": HOOK,
    ".git": GIT, ".gitmodules": GIT, ".gitconfig": GIT, ".lfsconfig": GIT,
    ".github": CI, ".gitlab-ci.yml": CI, ".gitlab": CI, ".gitea": CI, ".forgejo": CI, ".circleci": CI, ".ci": CI,
    ".buildkite": CI, ".travis.yml": CI, "azure-pipelines.yml": CI, ".azure-pipelines": CI, "jenkinsfile": CI,
    ".woodpecker.yml": CI, ".woodpecker": CI, ".drone.yml": CI, "bitbucket-pipelines.yml": CI, ".appveyor.yml": CI,
    "appveyor.yml": CI, ".cirrus.yml": CI, ".semaphore": CI, ".teamcity": CI, ".sourcehut": CI, ".builds": CI,
    ".build.yml": CI, ".tekton": CI, "cloudbuild.yaml": CI, "buildspec.yml": CI, ".builderrules": CI,
}  # fmt: skip
_ENDINGS = (
    (".code-workspace", EDITOR),
    (".sublime-project", EDITOR),
)
_STARTS = ((".lintstagedrc.", HOOK), ("lint-staged.config.", HOOK))

_HOOKS_FOLDER = re.compile(
    r"(?:^|/)hooks/(?:applypatch-msg|commit-msg|post-[a-z-]+|pre-[a-z-]+|prepare-commit-msg|update)$"
)


def acts_by(path: str) -> str:
    """Return why what lies at `path` acts at the person's machine; empty if it does not."""
    return _reason_and_name(path)[0]


def acting_part(path: str) -> str:
    """Return the part of `path` that makes it act; empty if there is none."""
    return _reason_and_name(path)[1]


def _reason_and_name(path: str) -> tuple[str, str]:
    for part in PurePosixPath(path).parts:
        name = part.casefold()
        if reason := _NAMED.get(name):
            return reason, part
        for ending, why in _ENDINGS:
            if name.endswith(ending):
                return why, part
        for start, why in _STARTS:
            if name.startswith(start):
                return why, part
    if found := _HOOKS_FOLDER.search(path.casefold()):
        return HOOK, found[0].lstrip("/")
    return "", ""
