"""What a shell command touches, in words that a person can weigh.

Pure, and only for showing: nothing is allowed because no danger was found.
"""

import re
from collections.abc import Iterable, Iterator

from obra_tui.agents.path_policy import PathPolicy
from obra_tui.agents.shell import Command, CommandLine

NETWORK = "network"
DELETES = "deletes files"
ROOT = "becomes another user"
PUSH = "git push"
HISTORY = "changes git history"
RUNS_TEXT = "runs text as a program"
SYSTEM = "changes the system"
PROCESSES = "stops processes"
RIGHTS = "changes file rights"
WRITES = "writes files"

_BY_PROGRAM = {
    NETWORK: "curl wget ssh scp sftp rsync nc ncat telnet ftp ping dig gh docker podman kubectl aws gcloud az",
    DELETES: "rm rmdir unlink shred truncate",
    ROOT: "sudo su doas pkexec",
    RUNS_TEXT: "eval source . exec sh bash zsh dash fish",
    SYSTEM: (
        "apt apt-get dnf yum brew pacman snap systemctl service dd mkfs mount umount reboot shutdown crontab launchctl"
    ),
    PROCESSES: "kill pkill killall",
    RIGHTS: "chmod chown chgrp setfacl",
    WRITES: "mv cp ln tee install",
}
_PROGRAM_DANGER = {name: danger for danger, names in _BY_PROGRAM.items() for name in names.split()}
_TOUCHES = frozenset({DELETES, WRITES, RIGHTS, NETWORK})
_MOST_NAMED = 4
_WRAPPERS = frozenset({
    "sudo", "doas", "env", "xargs", "nohup", "nice", "time", "timeout", "setsid", "stdbuf", "command", "exec", "find",
    "watch",
})  # fmt: skip

_WORDS: tuple[tuple[str, str], ...] = (
    (r"git\b.* push\b", PUSH),
    (r"git\b.* (push|pull|fetch|clone|ls-remote|submodule)\b", NETWORK),
    (r"git\b.* (commit|rebase|reset|merge|cherry-pick|filter-branch|update-ref|branch -[dD]|tag|stash)\b", HISTORY),
    (r"git\b.* (clean|rm|restore|checkout|reset --hard)\b", DELETES),
    (r"(pip3?|uv|uvx|poetry|pdm|conda) .*\b(install|add|sync|update|upgrade|run|download)\b", NETWORK),
    (r"python\S* -m pip\b", NETWORK),
    (r"(npm|pnpm|yarn|bun) .*\b(i|ci|install|add|update|publish|exec)\b", NETWORK),
    (r"(npx|bunx|uvx|pipx)\b", NETWORK),
    (r"(cargo|go|gem|bundle) .*\b(install|get|add|update|publish)\b", NETWORK),
    (r"find\b.* -delete\b", DELETES),
    (r"(python\S*|node|perl|ruby|php)\b.* -(c|e|r)\b", RUNS_TEXT),
)
_PATTERNS = tuple((re.compile(pattern), danger) for pattern, danger in _WORDS)


def dangers_of(line: CommandLine, raw: str, paths: PathPolicy) -> tuple[str, ...]:
    """Return each danger once, the gravest kinds first as they stand in the tables above."""
    found = [danger for command in line.commands for danger in _of_command(command, paths)]
    if line.opaque:
        found += [f"not understood: {line.opaque}", *_of_text(raw)]
    return tuple(dict.fromkeys(found))


def _of_command(command: Command, paths: PathPolicy) -> Iterator[str]:
    names = _program_names(command)
    direct = names[:1] if not _WRAPPERS.intersection(names[:1]) else []
    yield from (_said(_PROGRAM_DANGER[name], command.words[1:]) for name in direct if name in _PROGRAM_DANGER)
    yield from (_PROGRAM_DANGER[name] for name in names[len(direct) :] if name in _PROGRAM_DANGER)
    if command.words:
        text = " ".join((names[0], *command.words[1:]))
        yield from (danger for pattern, danger in _PATTERNS if pattern.match(text))
    if command.writes:
        yield _said(WRITES, command.writes)
    for path in (*command.words[1:], *command.reads, *command.writes):
        yield from path_dangers(path, paths)


def kind(danger: str) -> str:
    """Return what a mark says without what it is about: `deletes files: build` is `deletes files`."""
    return danger.partition(": ")[0]


def _said(danger: str, words: Iterable[str]) -> str:
    """Name what is touched, where the words after the program say it."""
    touched = [word for word in words if word and not word.startswith("-")] if danger in _TOUCHES else []
    more = f" and {len(touched) - _MOST_NAMED} more" if len(touched) > _MOST_NAMED else ""
    return f"{danger}: {' '.join(touched[:_MOST_NAMED])}{more}" if touched else danger


def _program_names(command: Command) -> list[str]:
    names = [word.rpartition("/")[2] for word in command.words]
    if names and names[0] in _WRAPPERS:
        return [names[0], *(name for name in names[1:] if name in _PROGRAM_DANGER)]
    return names[:1]


def path_dangers(word: str, paths: PathPolicy) -> tuple[str, ...]:
    """Return what a word means if it is a path; a word that only the shell can complete may lead anywhere."""
    for part in path_parts(word):
        if part.startswith("$"):
            return ("a path that only the shell knows",)
        if found := paths.dangers(part):
            return found
    return ()


def path_parts(word: str) -> tuple[str, ...]:
    """Return the parts of a word that a program may take as a path: `--file=x` hides one, and so does `-Ix`."""
    option, equals, value = word.partition("=")
    parts = [value] if equals and option.startswith("-") else [word]
    if word.startswith("-") and not word.startswith("--") and len(word) > 2:
        parts = [word[2:].lstrip("=")]
    elif word.startswith("-") and not equals:
        parts = []
    elif equals and not option.startswith("-"):
        parts = [word, value]
    return tuple(part for part in parts if part)


def _of_text(raw: str) -> Iterator[str]:
    """Look at the bare words of a line that could not be taken apart: better one mark too many."""
    words = set(re.findall(r"[\w./-]+", raw))
    yield from (danger for name, danger in _PROGRAM_DANGER.items() if name in words)
    yield from (danger for pattern, danger in _PATTERNS if pattern.search(raw))
