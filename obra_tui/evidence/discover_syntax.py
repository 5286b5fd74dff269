"""The checks that read changed files and run nothing of them: by the programs that are here, last by a grammar.

Every kind of text has one, so that no work is without evidence of its syntax for want of a compiler.
"""

import re
import shlex
import shutil
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from obra_tui.core.model import CheckSpec, Stage
from obra_tui.evidence.grammars import has_grammar

_SCRIPTS = (".js", ".mjs", ".cjs")
_READERS = (
    ((".rb",), "ruby", "ruby -c"),
    ((".php",), "php", "php -l"),
    ((".lua",), "luac", "luac -p"),
)
_BY_COMPILER = (
    ((".ts", ".mts", ".cts", ".tsx", ".jsx"), re.compile(r"^(?:tsc|\S+ (?:typecheck|lint|build))\b")),
    ((".rs",), re.compile(r"^cargo check\b")),
    ((".go",), re.compile(r"^go vet\b")),
    ((".java", ".kt", ".scala"), re.compile(r"^(?:mvn|gradle) compile\b")),
    ((".c", ".h", ".cc", ".cpp", ".cxx", ".hpp"), re.compile(r"^build\b")),
    ((".py", ".pyi"), re.compile(r"^compile\b")),
)
_SHEBANG = re.compile(rb"#!\s*\S*?/(?:env (?:-S )?)?(sh|bash|dash)\b")
_MOST_READ = 200


def syntax_checks(files: Path, changed: Sequence[str], found: Collection[str] = ()) -> Iterator[CheckSpec]:
    """Return checks of the changed files; `found` are the names of those that read a language as a whole."""
    there = [path for path in changed if (files / path).is_file() and not (files / path).is_symlink()]
    left = [path for path in there if not _is_compiled(path, found)]
    scripts = [path for path in left if path.endswith(_SCRIPTS)]
    if scripts and shutil.which("node"):
        yield _each("node --check", "node --check", scripts)
        left = _without(left, scripts)
    for endings, program, command in _READERS:
        named = [path for path in left if path.endswith(endings)]
        if named and shutil.which(program):
            yield _each(command, command, named)
            left = _without(left, named)
    shells = {path: shell for path in left if (shell := _shell_of(files / path))}
    for name in ("sh", "bash"):
        named = [path for path, shell in shells.items() if ("bash" if path.endswith(".bash") else "sh") == name]
        reader = "bash" if "bash" in {shells[path] for path in named} else name
        if named and shutil.which(reader):
            yield _each(f"{reader} -n", f"{reader} -n", named)
            left = _without(left, named)
    yield from _by_grammar(left, is_last=len(left) == len(there) and not found)


def _without(paths: Sequence[str], read: Sequence[str]) -> list[str]:
    return [path for path in paths if path not in read]


def _is_compiled(path: str, found: Collection[str]) -> bool:
    return any(
        path.endswith(endings) and any(pattern.match(name) for name in found) for endings, pattern in _BY_COMPILER
    )


def _shell_of(path: Path) -> str:
    """Return the shell of a script; empty if it is none, or one of a shell that nothing here reads."""
    with path.open("rb") as file:
        first = file.readline(200)
    if path.suffix == ".bash":
        return "bash"
    begins = _SHEBANG.match(first)
    if path.suffix == ".sh":
        return "bash" if b"bash" in first else "sh"
    return ("bash" if begins[1] == b"bash" else "sh") if begins and not path.suffix else ""


def _each(name: str, command: str, paths: Sequence[str]) -> CheckSpec:
    """Run a command for every file: most programs of this kind read only the first one."""
    run = f'bad=0; for file in {_named(paths)}; do {command} "$file" || bad=1; done; exit $bad'
    return CheckSpec(name=name, run=run, stage=Stage.SYNTAX, timeout_s=300.0)


def _by_grammar(paths: Sequence[str], *, is_last: bool) -> Iterator[CheckSpec]:
    """Read what is left by a grammar of its language. Where nothing else reads anything, the rest has to be text."""
    python = shlex.quote(sys.executable)
    for name, named in (
        ("grammar", [path for path in paths if has_grammar(path)]),
        ("text", [path for path in paths if is_last and not has_grammar(path)]),
    ):
        if named:
            run = f"{python} -P -m obra_tui.evidence.grammars {_named(named[:_MOST_READ])}"
            yield CheckSpec(name=name, run=run, stage=Stage.SYNTAX, timeout_s=300.0)


def _named(paths: Sequence[str]) -> str:
    return " ".join(shlex.quote(path if not path.startswith("-") else f"./{path}") for path in paths)
