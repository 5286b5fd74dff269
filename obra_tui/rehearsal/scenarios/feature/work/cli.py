"""The list on the command line."""

from todo.filters import due_until
from todo.store import add_item, load, save


def main(argv: list[str]) -> str:
    """Carry out `add FILE TEXT DUE` or `due FILE DAY` and return what is to be printed."""
    match argv:
        case ["add", file, text, due]:
            save(file, add_item(load(file), text, due))
            return f"added: {text}"
        case ["due", file, day]:
            return "\n".join(f"{item['due']} {item['text']}" for item in due_until(load(file), day))
        case _:
            raise SystemExit("usage: add FILE TEXT DUE | due FILE DAY")
