"""Reads files by a grammar of their language: evidence that they can be read, where no compiler of it is here.

    python -P -m obra_tui.evidence.grammars FILE …

Runs in a check's sandbox, so it imports grammars and nothing of Obra. Prints a line for each place that no rule fits
and ends with 1; a file of another kind has to be text without marks of a conflict.
"""

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

GRAMMARS = {
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
    ".js": "javascript",
    ".jsx": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".tsx": "typescript.tsx",
    ".css": "css",
    ".json": "json",
    ".toml": "toml",
    ".xml": "xml",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".sh": "bash",
    ".bash": "bash",
}
_COMMENTED = ("tsconfig", "jsconfig", ".eslintrc", "devcontainer", "settings", "launch", "tasks")
"""Files of JSON that may hold comments."""
_TEMPLATE = (b"{{", b"{%", b"<%")
_MARKS = (b"<<<<<<< ", b">>>>>>> ")
_MOST_PLACES = 20


def has_grammar(path: str) -> bool:
    """Tell whether there is a grammar for a file, by its name."""
    name = GRAMMARS.get(Path(path).suffix)
    return name is not None and find_spec(f"tree_sitter_{name.partition('.')[0]}") is not None


def main(paths: Sequence[str]) -> int:
    found = [line for path in paths for line in problems(path)]
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


def problems(path: str) -> Iterator[str]:
    """Yield what is wrong with a file, each with its line."""
    content = Path(path).read_bytes()
    for number, line in enumerate(content.splitlines(), 1):
        if line.startswith(_MARKS):
            yield f"{path}:{number}: a mark of a conflict was left"
    if b"\0" in content:
        return
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        yield f"{path}:{content[: error.start].count(10) + 1}: no text in UTF-8"
        return
    is_template = any(mark in content for mark in _TEMPLATE) or Path(path).name.startswith(_COMMENTED)
    if has_grammar(path) and not (is_template and Path(path).suffix in (".json", ".yaml", ".yml", ".xml", ".toml")):
        yield from _unreadable(path, content)


def _unreadable(path: str, content: bytes) -> Iterator[str]:
    from tree_sitter import Language, Parser

    waiting = [Parser(Language(_language(GRAMMARS[Path(path).suffix]))).parse(content).root_node]
    shown = 0
    while waiting and shown < _MOST_PLACES:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            shown += 1
            what = f"`{node.type}` is missing" if node.is_missing else "cannot be read"
            yield f"{path}:{node.start_point[0] + 1}: {what}"
        elif node.has_error:
            waiting.extend(reversed(node.children))


def _language(name: str) -> object:
    """Return the grammar of this name; those of TypeScript come in one package."""
    if name.startswith("typescript"):
        import tree_sitter_typescript

        is_tsx = name.endswith("tsx")
        return tree_sitter_typescript.language_tsx() if is_tsx else tree_sitter_typescript.language_typescript()
    module = import_module(f"tree_sitter_{name}")
    made = getattr(module, f"language_{name}", None) or module.language
    return made()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
