# ruff: noqa: T201 - the figures are its output
"""The figures of the code's structure: `python scripts/house_figures.py [CHECKOUT …]`, side by side for each checkout.

Reads the source only, so it runs on any commit: `git worktree add /tmp/before COMMIT`, then name that folder.
Every import counts, deferred and type-only ones too. Scenarios (example projects) and migrations are no product code.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROOTS = ("obra_tui", "widgets")
FRAMEWORKS = ("textual", "rich", "sqlalchemy", "httpx", "claude_agent_sdk", "msgspec", "typer", "pydantic")
SMALL = 60
FRAMEWORK_STATE = frozenset({"_exception", "_exit_renderables", "_return_value", "_exit", "_dirty_regions"})
"""Private state of Textual that is assigned here: no names of ours."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Module:
    """One file, and what the figures need of it."""

    name: str
    path: Path
    tree: ast.Module
    lines: int
    imports: set[str] = field(default_factory=set)
    deferred: int = 0
    private: set[str] = field(default_factory=set)


def modules_of(root: Path) -> dict[str, Module]:
    """Return the product's modules by name, with their imports of one another."""
    found = {}
    for folder in ROOTS:
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if {"scenarios", "migrations"} & set(parts):
                continue
            text = path.read_text("utf-8")
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = Module(name, path, ast.parse(text), text.count("\n"))
    own = {
        node.attr
        for module in found.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    own |= {node.name for module in found.values() for node in ast.walk(module.tree) if isinstance(node, Function)}
    own -= FRAMEWORK_STATE
    for module in found.values():
        _read_imports(module, found)
        module.private -= own
    return found


def _read_imports(module: Module, known: Mapping[str, Module]) -> None:
    deferred = {id(node) for function in _functions(module.tree) for node in ast.walk(function)}
    frameworks: set[str] = set()
    for node in ast.walk(module.tree):
        targets = list(_targets(node, module))
        if not targets:
            continue
        module.deferred += id(node) in deferred
        for base, name in targets:
            full = f"{base}.{name}" if name else base
            module.imports.add(full if full in known else base)
            if base.partition(".")[0] in FRAMEWORKS:
                frameworks.add(name or base)
                if any(part.startswith("_") and not part.startswith("__") for part in full.split(".")):
                    module.private.add(full)
    module.imports = (module.imports & known.keys()) - {module.name}
    if frameworks and module.name.startswith(("widgets", "obra_tui.ui")):
        module.private |= _private_attributes(module.tree)


def _targets(node: ast.AST, module: Module) -> Iterator[tuple[str, str]]:
    """Yield (module, name) of an import statement; the name is empty for `import module`."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = module.name.split(".") if module.path.name == "__init__.py" else module.name.split(".")[:-1]
        base = ".".join((*package[: len(package) - node.level + 1], node.module or "")) if node.level else node.module
        yield from (((base or "").strip("."), alias.name) for alias in node.names)


def _private_attributes(tree: ast.Module) -> set[str]:
    """Private attributes of others: `x._name` where no class of the file defines or assigns the name itself."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, Function | ast.ClassDef)}
    own |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    own |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {name for name in used - own if name.startswith("_") and not name.startswith("__")}


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _length(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def p95(values: list[int]) -> int:
    return sorted(values)[int(0.95 * (len(values) - 1))]


def rings(modules: Mapping[str, Module]) -> list[list[str]]:
    """Return the groups of modules that import each other in a circle, largest first (Tarjan, without recursion)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []
    for start in modules:
        if start in number:
            continue
        work = [(start, iter(sorted(modules[start].imports)))]
        number[start] = low[start] = len(number)
        stack.append(start)
        while work:
            name, left = work[-1]
            following = next(left, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == number[name]:
                    at = stack.index(name)
                    group, stack[at:] = stack[at:], []
                    if len(group) > 1:
                        found.append(sorted(group))
            elif following not in number:
                number[following] = low[following] = len(number)
                stack.append(following)
                work.append((following, iter(sorted(modules[following].imports))))
            elif following in stack:
                low[name] = min(low[name], number[following])
    return sorted(found, key=len, reverse=True)


def classes(modules: Mapping[str, Module]) -> dict[str, list[tuple[Module, ast.ClassDef]]]:
    """Return the top-level classes by name; a name with several entries means several things."""
    found = defaultdict(list)
    for module in modules.values():
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef):
                found[node.name].append((module, node))
    return found


def with_bases(name: str, known: Mapping[str, list[tuple[Module, ast.ClassDef]]]) -> tuple[int, int]:
    """Return the lines and methods of a class with its own bases in the product."""
    seen, todo, lines, methods = set[str](), [name], 0, 0
    while todo:
        current = todo.pop()
        if current in seen or current not in known:
            continue
        seen.add(current)
        node = known[current][0][1]
        lines += _length(node)
        methods += sum(isinstance(item, Function) for item in node.body)
        todo += [base.id for base in map(_unsubscripted, node.bases) if isinstance(base, ast.Name)]
    return lines, methods


def _unsubscripted(base: ast.expr) -> ast.expr:
    return base.value if isinstance(base, ast.Subscript) else base


def figures(root: Path) -> dict[str, str]:
    modules = modules_of(root)
    importers = Counter(target for module in modules.values() for target in module.imports)
    lines = [module.lines for module in modules.values()]
    functions = [_length(node) for module in modules.values() for node in _functions(module.tree)]
    small = [m for m in modules.values() if m.lines <= SMALL and importers[m.name] == 1 and m.path.stem != "__init__"]
    known = classes(modules)
    sizes = {name: with_bases(name, known) for name in known}
    longest, most = max(sizes, key=lambda n: sizes[n][0]), max(sizes, key=lambda n: sizes[n][1])
    circles = rings(modules)
    private = set().union(*(module.private for module in modules.values()))
    twice = sorted(name for name, where in known.items() if len(where) > 1)
    return {
        "product files": f"{len(modules)}",
        "product lines": f"{sum(lines):,}",
        "lines per file, median / p95": f"{median(lines):.0f} / {p95(lines)}",
        "lines per function, median / p95": f"{median(functions):.0f} / {p95(functions)}",
        f"files of at most {SMALL} lines with one importer": f"{len(small)}",
        "longest class with its bases": f"{longest}: {sizes[longest][0]} lines",
        "class of most methods with its bases": f"{most}: {sizes[most][1]} methods",
        "rings of more than 3 files, all imports": f"{sum(len(ring) > 3 for ring in circles)}",
        "largest ring": f"{len(circles[0])} files" if circles else "none",
        "private names of frameworks": f"{len(private)} in {sum(bool(m.private) for m in modules.values())} files",
        "deferred imports": f"{sum(module.deferred for module in modules.values())}",
        "class names with several meanings": f"{len(twice)}",
    }


def details(root: Path) -> None:
    """Print what the figures count: rings, small files, classes of several meanings, private names."""
    modules = modules_of(root)
    importers = Counter(target for module in modules.values() for target in module.imports)
    for ring in rings(modules):
        print("ring:", ", ".join(ring))
    for module in modules.values():
        if module.lines <= SMALL and importers[module.name] == 1 and module.path.stem != "__init__":
            print("small:", module.name, module.lines)
        if module.private:
            print("private:", module.name, ", ".join(sorted(module.private)))
    for name, where in sorted(classes(modules).items()):
        if len(where) > 1:
            print("several meanings:", name, "in", ", ".join(module.name for module, _ in where))


def main(arguments: list[str]) -> None:
    roots = [Path(a) for a in arguments if not a.startswith("-")] or [Path(__file__).parent.parent]
    columns = [figures(root) for root in roots]
    width = max(map(len, columns[0]))
    for name in columns[0]:
        print(f"{name:<{width}}  " + "  ".join(f"{column[name]:<34}" for column in columns).rstrip())
    if "--details" in arguments:
        details(roots[-1])


if __name__ == "__main__":
    main(sys.argv[1:])
