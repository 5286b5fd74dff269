"""Write the tables of docs/protocol.md from the docstrings of `core`, so that they cannot grow old.

python scripts/protocol.py           rewrite the tables in the file
python scripts/protocol.py --check   only tell whether they are as they should be
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "protocol.md"
CORE = ROOT / "obra_tui/core"
EVENTS = ("session", "plan", "attempt", "permission", "evidence", "gate", "judging")
SOURCES = {"commands": (CORE / "commands.py",), "events": tuple(CORE / f"events/{name}.py" for name in EVENTS)}


def tables(sources: tuple[Path, ...]) -> str:
    """Return one table per section of the files, a row for each class."""
    return "\n\n".join(map(tables_of, sources))


def tables_of(source: Path) -> str:
    text = source.read_text(encoding="utf-8")
    heads = [(text[: found.start()].count("\n"), found[1]) for found in re.finditer(r"^# --- (.+?) -+$", text, re.M)]
    rows: dict[str, list[str]] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            section = next((name for line, name in reversed(heads) if line < node.lineno), "")
            rows.setdefault(section, []).append(row(node))
    return "\n\n".join(table(section, lines) for section, lines in rows.items())


def table(section: str, rows: list[str]) -> str:
    head = f"### {section[0].upper()}{section[1:]}\n\n" if section else ""
    return head + "| name | what it says | carries |\n|---|---|---|\n" + "\n".join(rows)


def row(node: ast.ClassDef) -> str:
    said = " ".join((ast.get_docstring(node) or "").split())
    carries = "<br>".join(fields(node))
    return f"| `{node.name}` | {cell(said)} | {carries} |"


def fields(node: ast.ClassDef) -> Iterator[str]:
    following = [*node.body[1:], None]
    for item, after in zip(node.body, following, strict=True):
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.target.id != "type":
            said = docstring(after)
            yield f"`{item.target.id}: {cell(ast.unparse(item.annotation))}`" + (f" {cell(said)}" if said else "")


def docstring(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return " ".join(node.value.value.split())
    return ""


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def rewritten(document: str) -> str:
    """Return `document` with what stands between its marks made anew."""
    for name, sources in SOURCES.items():
        begin, end = f"<!-- {name}: written by scripts/protocol.py -->", f"<!-- end of {name} -->"
        before, _, rest = document.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise SystemExit(f"{DOCUMENT} has no marks for {name}")
        document = f"{before}{begin}\n\n{tables(sources)}\n\n{end}{after}"
    return document


def main(arguments: list[str]) -> int:
    document = DOCUMENT.read_text(encoding="utf-8")
    fresh = rewritten(document)
    if "--check" in arguments:
        return int(fresh != document)
    DOCUMENT.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
