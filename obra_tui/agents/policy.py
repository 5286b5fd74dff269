"""What Claude may do without a question.

Pure: a tool call and the rules go in, a ruling comes out. Edits inside the copy are allowed; shell commands by
prefixes, and a line of several commands only when every part of it is allowed. Everything else is asked. This is no
sandbox: the project's tests run what Claude wrote. It keeps the person in the picture.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.agents.path_policy import PathPolicy
from obra_tui.agents.risk import NETWORK, dangers_of, kind, path_parts
from obra_tui.agents.shell import Command, CommandLine, parse

DEFAULT_ALLOW: tuple[str, ...] = (
    "ls", "cat", "head", "tail", "wc", "pwd", "echo", "printf", "true", "false", "test", "cd", "which", "file", "stat",
    "tree", "grep", "rg", "find", "diff", "cmp", "sort", "uniq", "cut", "tr", "nl", "basename", "dirname", "realpath",
    "git status", "git diff", "git log", "git show", "git blame", "git ls-files", "git rev-parse", "git grep",
    "git branch --show-current",
    "pytest", "python -m pytest", "python -m unittest", "python -m compileall", "python -m py_compile",
    "python -m doctest", "python --version",
    "ruff", "python -m ruff", "mypy", "python -m mypy", "pyright", "flake8", "black --check",
    "npm test", "npm run test", "npm run lint", "npm run build", "npm run typecheck", "npx tsc --noEmit",
    "cargo test", "cargo check", "cargo build", "cargo clippy", "cargo fmt", "go test", "go vet", "go build",
    "make test", "make check", "make lint",
)  # fmt: skip

FILE_READERS = frozenset({"Read", "NotebookRead", "LS", "Glob", "Grep"})
FILE_WRITERS = frozenset({"Edit", "Write", "MultiEdit", "NotebookEdit"})
SHELLS = frozenset({"Bash", "Monitor"})
ASKING = frozenset({"AskUserQuestion", "ExitPlanMode"})
HARMLESS = frozenset({
    "Task", "Agent", "TodoWrite", "TaskCreate", "TaskUpdate", "TaskGet", "TaskList", "TaskOutput", "TaskStop",
    "BashOutput", "KillShell", "KillBash", "ToolSearch", "EnterPlanMode", "ListAgents", "SendMessage", "Skill",
    "ReportFindings", "StructuredOutput",
})  # fmt: skip

_PATHLESS = frozenset({"echo", "printf", "true", "false", "pwd", "test"})
_SAFE_ASSIGNS = frozenset({
    "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONWARNINGS", "PYTHONHASHSEED", "CI", "NO_COLOR",
    "FORCE_COLOR", "TERM", "COLUMNS", "TZ", "LANG", "LC_ALL", "NODE_ENV", "RUST_BACKTRACE",
})  # fmt: skip
_UNSAFE_OPTIONS = {
    "git": ("--output", "--ext-diff", "--textconv", "--open-files-in-pager", "-O"),
    "rg": ("--pre", "--hostname-bin"),
    "sort": ("-o", "--output", "--compress-program"),
    "tree": ("-o", "--output"),
    "find": ("-exec", "-execdir", "-ok", "-okdir", "-delete", "-fprint", "-fls"),
    "mypy": ("--install-types",),
    "printf": ("-v",),
    "test": ("-v", "-R"),
    "file": ("-C", "--compile"),
    "go": ("-vettool", "-toolexec", "-exec", "--vettool", "--toolexec", "--exec"),
    "cargo": ("--config",),
}  # fmt: skip
_KEYWORDS = frozenset({"!", "time", "{", "if", "then", "elif", "else", "while", "until", "do"})
_CLOSING = frozenset({"}", "fi", "done"})
_TOOL_FOLDERS = (".venv/bin/", "venv/bin/", "node_modules/.bin/")
_RULE = re.compile(r"(\w+)\((.*)\)", re.S)


class Ruling(Struct, frozen=True, kw_only=True):
    """Whether a call needs a question, and what the question must say."""

    allowed: bool
    why: str = ""
    """Which rule did not allow it."""
    dangers: tuple[str, ...] = ()
    session_rule: str = ""
    """What *allow for this session* would add; empty = not offered."""


_ALLOWED = Ruling(allowed=True)


class Rules(Struct, frozen=True, kw_only=True):
    """The allow-list of the settings and what a person added for the session."""

    allow: tuple[str, ...] = DEFAULT_ALLOW
    session: frozenset[str] = frozenset()


def rule_on(tool: str, given: Mapping[str, Any], paths: PathPolicy, rules: Rules) -> Ruling:
    """Return whether `tool` may be called with this input."""
    if tool in ASKING:
        return Ruling(allowed=False, why="Claude asks you.")
    if tool in HARMLESS or tool in rules.session:
        return _ALLOWED
    if tool in SHELLS:
        return _on_command(str(given.get("command", "")), paths, rules)
    if tool in FILE_READERS:
        return _on_reading(tool, given, paths, rules)
    if tool in FILE_WRITERS:
        return _on_writing(tool, _path(given), paths, rules)
    if tool in ("WebFetch", "SandboxNetworkAccess"):
        return _on_host(tool, given, rules)
    dangers = (NETWORK,) if tool == "WebSearch" else ()
    return Ruling(allowed=False, why=f"No rule allows {tool}.", dangers=dangers, session_rule=tool)


def needed(tool: str, given: Mapping[str, Any], paths: PathPolicy, rules: Rules) -> tuple[str, ...]:
    """Return the rules of the session without which this call would have been asked about."""
    if not rules.session or _allows(tool, given, paths, rules, ()) or not rule_on(tool, given, paths, rules).allowed:
        return ()
    alone = [pattern for pattern in sorted(rules.session) if _allows(tool, given, paths, rules, {pattern})]
    missed = (
        pattern
        for pattern in sorted(rules.session)
        if not _allows(tool, given, paths, rules, rules.session - {pattern})
    )
    return tuple(alone[:1]) or tuple(missed)


def _allows(tool: str, given: Mapping[str, Any], paths: PathPolicy, rules: Rules, session: Iterable[str]) -> bool:
    return rule_on(tool, given, paths, replace(rules, session=frozenset(session))).allowed


# --- files ---


def _on_reading(tool: str, given: Mapping[str, Any], paths: PathPolicy, rules: Rules) -> Ruling:
    wanted = [path for path in (_path(given), _pattern_root(given)) if path]
    bad = [path for path in wanted if not paths.may_read(path) and f"{tool}({path})" not in rules.session]
    if not bad:
        return _ALLOWED
    return Ruling(
        allowed=False,
        why="Only files inside the copy are read without asking.",
        dangers=paths.dangers(bad[0]),
        session_rule=f"{tool}({bad[0]})",
    )


def _pattern_root(given: Mapping[str, Any]) -> str:
    """Return the fixed beginning of a pattern that leads out of the folder it is used in."""
    pattern = str(given.get("pattern", "")) if "glob" not in given and "output_mode" not in given else ""
    return pattern.split("*")[0] if pattern.startswith(("/", "~", "..")) else ""


def _on_writing(tool: str, path: str, paths: PathPolicy, rules: Rules) -> Ruling:
    if path and (paths.may_write(path) or f"Edit({path})" in rules.session):
        return _ALLOWED
    name = paths.protected(path)
    why = f"{name} is a protected place." if name else "Only files inside the copy are changed without asking."
    return Ruling(allowed=False, why=why, dangers=paths.dangers(path), session_rule="" if name else f"Edit({path})")


def _path(given: Mapping[str, Any]) -> str:
    return next((str(given[key]) for key in ("file_path", "notebook_path", "path") if given.get(key)), "")


def _on_host(tool: str, given: Mapping[str, Any], rules: Rules) -> Ruling:
    host = str(given.get("host") or urlsplit(str(given.get("url", ""))).hostname or "")
    rule = f"{tool}(domain:{host})"
    if host and rule in rules.session:
        return _ALLOWED
    why = "Claude wants to reach the network."
    return Ruling(allowed=False, why=why, dangers=(NETWORK,), session_rule=rule if host else "")


# --- commands ---


def _on_command(raw: str, paths: PathPolicy, rules: Rules) -> Ruling:
    if f"Bash({raw.strip()})" in rules.session:
        return _ALLOWED
    parsed = parse(raw)
    line = replace(parsed, commands=tuple(map(_bare, parsed.commands)))
    prefixes = tuple(tuple(rule.split()) for rule in (*rules.allow, *_session_prefixes(rules.session)))
    why = line.opaque and f"The command is not understood ({line.opaque})."
    why = why or next((why for command in line.commands if (why := _objection(command, prefixes, paths))), "")
    if not why and line.commands:
        return _ALLOWED
    dangers = dangers_of(line, raw, paths)
    return Ruling(
        allowed=False, why=why or "The command is empty.", dangers=dangers, session_rule=_offer(line, raw, dangers)
    )


def _bare(command: Command) -> Command:
    """Return a command without the shell's own words around it: `then ls` starts `ls`, and `done` starts nothing."""
    start = next((at for at, word in enumerate(command.words) if word not in _KEYWORDS), len(command.words))
    words = command.words[start:]
    expands = command.expands[start:]
    if words in {(word,) for word in _CLOSING} or (words[:1] == ("for",) and words[2:3] == ("in",)):
        words = expands = ()  # of a loop the names and values: what is done with them follows
    elif words[:1] == ("[",):
        words, expands = ("test", *words[1:]), (False, *expands[1:])
    return replace(command, words=words, expands=expands)


def _session_prefixes(session: frozenset[str]) -> list[str]:
    found = (_RULE.fullmatch(rule) for rule in sorted(session))
    return [match[2][:-2] for match in found if match and match[1] == "Bash" and match[2].endswith(":*")]


def _objection(command: Command, prefixes: tuple[tuple[str, ...], ...], paths: PathPolicy) -> str:
    """Return why one simple command is not allowed; empty if it is."""
    words = _normal(command, paths)
    bad = next((path for path in command.writes if path == "$" or not paths.may_write(path)), "")
    if bad:
        return f"It writes to {bad}."
    bad = next((path for path in command.reads if path == "$" or not paths.may_read(path)), "")
    if bad:
        return f"It reads {bad}."
    bad = next((word for word in command.assigns if word.partition("=")[0] not in _SAFE_ASSIGNS), "")
    if bad:
        return f"It sets {bad.partition('=')[0]}."
    if not any(words):
        return ""
    match = next((prefix for prefix in prefixes if words[: len(prefix)] == prefix), None)
    if match is None or any(command.expands[: len(match)]):
        return f"No rule allows `{' '.join(words[:2])}`."
    return _bad_argument(words, len(match), command, paths)


def _bad_argument(words: tuple[str, ...], start: int, command: Command, paths: PathPolicy) -> str:
    unsafe = _UNSAFE_OPTIONS.get(words[0], ())
    if words[0] == "cd" and (why := _bad_folder(words, paths)):
        return why
    written = [word for word in words[1:] if not word.startswith("-")][1:] if words[0] == "uniq" else []
    if bad := next((word for word in written if not paths.may_write(word)), ""):
        return f"It writes to {bad}."
    for word, expands in zip(words[start:], command.expands[start:], strict=True):
        if any(_is_option(word, option) for option in unsafe):
            return f"`{words[0]} {word}` can do more than read."
        if words[0] == "test" and "[" in word and ("$" in word or "`" in word):
            return f"The shell may run what stands in {word}."
        if words[0] in _PATHLESS:
            continue
        if expands and _leads_elsewhere(word):
            return f"Only the shell knows what {word} is."
        if expands and "$" in word:
            return f"Only the shell knows what {word} is."
        if any(not paths.may_read(part) for part in path_parts(word)):
            return f"{word} is outside the copy."
    return ""


def _bad_folder(words: tuple[str, ...], paths: PathPolicy) -> str:
    """Say why later words would mean something else after this `cd` than they do here; empty if they would not."""
    folder = next((word for word in words[1:] if word not in ("-P", "-L", "--")), "")
    if folder in ("", "-"):
        return "It leads where only the shell knows."
    name = paths.protected(folder)
    return f"{name} is a protected place." if name else ""


def _leads_elsewhere(word: str) -> bool:
    """Whether the shell makes a path of a word that the word does not show: another's home, alternatives in braces."""
    if word.startswith("~") and word[1:2] not in ("", "/"):
        return True
    pieces = re.split(r"[{},]", word)
    return len(pieces) > 1 and any(piece.startswith(("/", "~")) or ".." in piece for piece in pieces[1:])


def _is_option(word: str, option: str) -> bool:
    """Whether a word is an option, written out, shortened as long options may be, or with its value attached."""
    name = word.partition("=")[0]
    if option.startswith("--"):
        return name.startswith("--") and len(name) > 3 and option.startswith(name)
    return word.startswith(option)


def _normal(command: Command, paths: PathPolicy) -> tuple[str, ...]:
    """Return the words with the program as rules name it: tools of the project's own environment by their bare name."""
    if not command.words:
        return ()
    program = command.words[0]
    inner = program.removeprefix(paths.cwd.rstrip("/") + "/").removeprefix("./")
    name = next((inner.removeprefix(folder) for folder in _TOOL_FOLDERS if inner.startswith(folder)), program)
    return (re.sub(r"^python3(\.\d+)?$", "python", name), *command.words[1:])


def _offer(line: CommandLine, raw: str, dangers: tuple[str, ...]) -> str:
    """Return the rule to offer: a prefix for one plain command, the very line when it is dangerous or compound."""
    if line.opaque or len(line.commands) != 1 or {kind(danger) for danger in dangers} - {NETWORK}:
        return f"Bash({raw.strip()})" if len(raw) <= 200 and "\n" not in raw.strip() else ""
    words = line.commands[0].words
    if len(words) > 2 and words[1] == "-m":
        return f"Bash({' '.join(words[:3])}:*)"
    if (len(words) > 1 and words[1].startswith("-")) or any(line.commands[0].expands[:2]) or line.commands[0].assigns:
        return f"Bash({raw.strip()})"
    return f"Bash({' '.join(words[:2])}:*)"
