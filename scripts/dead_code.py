"""Code that nothing in the product reaches, tests not counted: `make lint` fails where there is any.

Fields of structs are left out: they are read by name from JSON and from tables. An exception that is no longer needed
is a fault, too.
"""

import sys
from pathlib import Path

from vulture import Vulture

ROOT = Path(__file__).parent.parent
PRODUCT = [ROOT / "obra_tui", ROOT / "widgets"]

BY_NAME = [
    "action_*",
    "on_*",
    "check_action",
    "compose",
    "render*",
    "watch_*",
    "validate_*",
    "key_*",
    "get_*",
    "pytest_*",
]
"""Textual and pytest call these by their names."""

DECORATED = ["@*.command*", "@*.callback*", "@*listens_for*", "@on"]
"""Typer, SQLAlchemy and Textual call what is decorated."""

EXCEPTIONS: dict[str, str] = {
    **dict.fromkeys(("create_module", "exec_module"), "the import machinery of Python"),
    **dict.fromkeys(("read_messages",), "the SDK's interface of a transport"),
    **dict.fromkeys(
        ("resume_task", "update_session_usage", "pending_gates", "undo_plan_change"),
        "people, from their own programs: docs/guides/scripting.md",
    ),
    **dict.fromkeys(("kinds_in",), "the tests of what looks for secrets, one text at a time"),
    **dict.fromkeys(("PatchHunk", "PatchedFile"), "imported for types"),
    **dict.fromkeys(
        ("requests", "down", "exchanges", "wait_for_requests", "pull"),
        "tests and benchmarks, which drive rehearsal servers from outside",
    ),
    **dict.fromkeys(("process_bind_param",), "SQLAlchemy"),
    **dict.fromkeys(("arm",), "tests/chaos, before it kills"),
    **dict.fromkeys(
        ("is_active", "attach_loop", "add_child_handler", "remove_child_handler"),
        "asyncio's interface of a child watcher",
    ),
    **dict.fromkeys(
        ("_fatal_error", "panic", "startup", "discover", "selection_updated", "_update_timer"),
        "Textual, which knows it by name",
    ),
    **dict.fromkeys(("sideways", "end_find"), "keys, which name a command of the pane as text"),
}
"""Name: who reaches it."""


def unused() -> dict[str, str]:
    """Return name: place of each function, method, property, class and import that the product does not use."""
    finder = Vulture(ignore_names=BY_NAME, ignore_decorators=DECORATED)
    finder.scavenge([str(path) for path in PRODUCT])
    kinds = ("function", "method", "property", "class", "import")
    return {
        item.name: f"{Path(item.filename).relative_to(ROOT)}:{item.first_lineno} {item.typ}"
        for item in finder.get_unused_code(min_confidence=60)
        if item.typ in kinds
    }


def main() -> int:
    found = unused()
    new = {name: place for name, place in found.items() if name not in EXCEPTIONS}
    stale = sorted(set(EXCEPTIONS) - set(found))
    advice = "nothing in the product uses it. Delete it, or say in scripts/dead_code.py who does."
    sys.stdout.writelines(f"{place} {name}: {advice}\n" for name, place in new.items())
    sys.stdout.writelines(f"scripts/dead_code.py: {name} is used or gone: no exception is needed.\n" for name in stale)
    return 1 if new or stale else 0


if __name__ == "__main__":
    sys.exit(main())
