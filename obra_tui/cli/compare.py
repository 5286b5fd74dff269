"""`obra compare`: two attempts or two sessions side by side."""

from collections.abc import Iterator
from typing import Annotated

import typer

from obra_tui.cli.options import JsonOption
from obra_tui.cli.paging import echo_diff, paged
from obra_tui.cli.parser import refuse_unused
from obra_tui.core.errors import ConfigError
from obra_tui.core.ids import AttemptId, SessionId
from obra_tui.core.plain import to_builtins
from obra_tui.core.records.compare import Comparison, blinded, compare_attempts, compare_sessions, shown, shown_delta
from obra_tui.core.records.export import json_line
from obra_tui.core.records.history import History
from obra_tui.core.text import one_line

WINNERS = ("a", "b", "equal", "neither")


def register(app: typer.Typer) -> None:
    app.command()(compare)


def compare(
    a: Annotated[str, typer.Argument(help="An attempt or a session.")],
    b: Annotated[str, typer.Argument(help="Another one.")],
    diff: Annotated[str, typer.Option("--diff", help="trees (what differs), diffs (of diffs) or none.")] = "trees",
    blind: Annotated[bool, typer.Option("--blind", help="Without names, scores and cost.")] = False,
    winner: Annotated[str, typer.Option("--winner", help="Store which is better: a, b, equal or neither.")] = "",
    note: Annotated[str, typer.Option("--note", help="Why.")] = "",
    as_json: JsonOption = False,
) -> int:
    """Put two attempts or two sessions side by side."""
    from obra_tui.config.load import load
    from obra_tui.services.archive import open_history, prefer

    if not winner:
        refuse_unused("a comparison without --winner", note=note)
    settings = load()
    with open_history(settings) as history:
        comparison, trees = _compared(history, a, b)
    if winner and winner not in WINNERS:
        raise ConfigError(f"'{winner}' is no winner.", where="--winner", fix=f"Say one of {', '.join(WINNERS)}.")
    if winner:
        prefer(settings, a=trees.a, b=trees.b, winner=winner, note=note, blind=blind)  # type: ignore[arg-type]
    comparison = blinded(comparison) if blind else comparison
    patch = _patch(comparison, trees, diff)
    if as_json:
        typer.echo(json_line({"type": "comparison", **to_builtins(comparison), "diff": patch, "winner": winner}))
        return 0
    with paged():
        for line in _lines(comparison):
            typer.echo(line)
        if patch:
            echo_diff(patch)
    return 0


class _Sides:
    """The full ids, and the git trees if the two are attempts."""

    def __init__(self, a: str, b: str, tree_a: str = "", tree_b: str = "") -> None:
        self.a, self.b, self.tree_a, self.tree_b = a, b, tree_a, tree_b


def _compared(history: History, a: str, b: str) -> tuple[Comparison, _Sides]:
    kind_a, found_a = history.resolve(a, "session", "attempt")
    kind_b, found_b = history.resolve(b, "session", "attempt")
    if kind_a != kind_b:
        raise ConfigError(f"{a} is a {kind_a} and {b} a {kind_b}.", fix="Compare two attempts or two sessions.")
    if kind_a == "session":
        one, other = history.session(SessionId(found_a)), history.session(SessionId(found_b))
        return compare_sessions(one, other), _Sides(found_a, found_b)
    ours, theirs = history.attempt(AttemptId(found_a)), history.attempt(AttemptId(found_b))
    trees = [detail.diff.tree if detail.diff else "" for detail in (ours, theirs)]
    return compare_attempts(ours, theirs), _Sides(found_a, found_b, *trees)


def _patch(comparison: Comparison, sides: _Sides, diff: str) -> str:
    from obra_tui.config.load import load
    from obra_tui.services.diffs import tree_diff
    from obra_tui.store.redact import exporter

    match diff:
        case "none":
            return ""
        case "trees" if sides.tree_a and sides.tree_b:
            found = tree_diff(load().data_dir / "repos", sides.tree_a, sides.tree_b)
            patch = comparison.diff_of_diffs if found is None else found
        case _:
            patch = comparison.diff_of_diffs
    return exporter().text(patch)


def _lines(it: Comparison) -> Iterator[str]:
    yield f"A  {one_line(it.a)}"
    yield f"B  {one_line(it.b)}"
    yield from (f"!  {one_line(warning, 500)}" for warning in it.warnings)
    yield f"{'':<16}{'A':>12}{'B':>12}  difference"
    for number in it.numbers:
        a, b = shown(number, number.a), shown(number, number.b)
        yield f"{number.name:<16}{a:>12}{b:>12}  {shown_delta(number)}".rstrip()
    for name, findings in (("fixed", it.fixed), ("still there", it.still), ("new", it.new)):
        yield from (f"{name:<12} {one_line(f.place)} {one_line(f.message, 500)}" for f in findings)
    yield from (f"{file.kind:<12} {one_line(file.path)}" for file in it.files)
    yield from (f"{one_line(key):<12} {a} → {b}" for key, a, b in it.tasks)
