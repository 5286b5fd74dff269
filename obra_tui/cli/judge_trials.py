"""`obra judge cases`, `eval`, `compare`, `export`, `import`: cases with known truth, and judges asked about them."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from obra_tui.cli.judge import RehearsalOption, judge_app
from obra_tui.cli.options import HERE, JsonOption, ProjectOption
from obra_tui.core.commands import RecordJudging
from obra_tui.core.errors import ConfigError, UnknownId
from obra_tui.core.events import CaseKept, CaseRetired, Judging
from obra_tui.core.judging.book import CaseBook, PastWork
from obra_tui.core.judging.comparing import compared
from obra_tui.core.model import JudgeCase, JudgeIdentity, Trial
from obra_tui.core.plain import to_builtins
from obra_tui.core.records.export import json_line
from obra_tui.core.text import one_line

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.judge import QwenJudge
    from obra_tui.services.judge_trials import CaseSet, ShownCase, TrialPlan
    from obra_tui.store.history import SqlHistory


class WantedSet(StrEnum):
    EXAM = "exam"
    HOLDOUT = "holdout"
    ALL = "all"


_WRITTEN_TOGETHER = 10
"""So many answers may be lost if the machine goes down."""
SetOption = Annotated[WantedSet, typer.Option("--set", help="Which cases.")]
KindOption = Annotated[str, typer.Option("--kind", help="Only cases of this kind or source.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it may cost that much.")]


def register(app: typer.Typer) -> None:
    """They are commands of `obra judge`, which is registered by its own file."""


@judge_app.command()
def cases(
    retire: Annotated[str, typer.Option("--retire", help="Id of a case that is not to count any more.")] = "",
    note: Annotated[str, typer.Option("--note", help="Why it is retired.")] = "",
    kind: KindOption = "",
    rehearsal: RehearsalOption = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> int:
    """List the work whose worth is known: failed, accepted, rejected, reverted, planted; counted by source."""
    from obra_tui.services.archive import open_history
    from obra_tui.services.judge_trials import all_cases, chosen

    root, settings = _place(project)
    with open_history(settings) as history:
        found, book = all_cases(history, str(root), rehearsal=rehearsal)
    if retire:
        return _retire(settings, root, found, retire, note, rehearsal=rehearsal)
    listed = chosen(found, "all", kind)
    for case in listed:
        typer.echo(json_line(_case_json(case)) if as_json else _case_line(case))
    if not as_json:
        counts = Counter((case.source.value.replace("_", " "), case.truth.value) for case in listed)
        for (source, truth), count in sorted(counts.items()):
            typer.echo(f"{count:>4} {source}, {truth}")
        held = sum(case.is_holdout for case in listed)
        typer.echo(f"{len(listed):>4} in all, {held} of them held out; {len(book.trials)} answers of judges are kept")
    return 0


@judge_app.command("eval")
def evaluate(
    which: SetOption = WantedSet.EXAM,
    model: Annotated[str, typer.Option("--judge", help="Another model than judge.model.")] = "",
    rubric: Annotated[Path | None, typer.Option("--rubric", help="Another rubric, as a TOML file.")] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, max=20, help="Ask about each case so often.")] = 1,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many cases.")] = 120,
    kind: KindOption = "",
    again: Annotated[bool, typer.Option("--again", help="Also cases that this judge has answered.")] = False,
    yes: YesOption = False,
    rehearsal: RehearsalOption = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> int:
    """Ask a judge about cases with known truth, from stored evidence. The cost comes first; work goes first."""
    from obra_tui.services.archive import open_history
    from obra_tui.services.judge_trials import all_cases, chosen, judge_of, prepared

    root, settings = _place(project)
    judge = judge_of(settings, model=model, rubric=rubric)
    identity = asyncio.run(_identified(judge))
    with open_history(settings) as history:
        found, book = all_cases(history, str(root), rehearsal=rehearsal)
        answered = {trial.case for _, trial in book.trials if trial.version == identity.version}
        known = set() if again or repeats > 1 else answered
        wanted = [case for case in chosen(found, which.value, kind) if case.id not in known]
        plan = prepared(history, wanted, book.cases, identity.model, limit)
    shown = tuple(item for item in plan.shown for _ in range(repeats))
    _tell_cost(plan, len(shown), identity.model, as_json=as_json)
    if not shown or not _may_go_on(yes=yes):
        return 0
    answers = _ask(settings, root, judge, shown, set(book.cases), rehearsal=rehearsal, as_json=as_json)
    if not as_json:
        _tell_result(answers)
    return 0


@judge_app.command()
def compare(
    first: Annotated[str, typer.Argument(help="Version of a judge, its beginning, or the name of its model.")],
    second: Annotated[str, typer.Argument(help="The other one.")],
    rehearsal: RehearsalOption = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> int:
    """Compare two judges on the cases that both answered: who was right where the other was wrong."""
    from obra_tui.services.archive import open_history
    from obra_tui.services.judge_trials import all_cases, chosen

    root, settings = _place(project)
    with open_history(settings) as history:
        found, book = all_cases(history, str(root), rehearsal=rehearsal)
    trials = [trial for _, trial in book.trials]
    one, other = (_trials_of(trials, name) for name in (first, second))
    sets: tuple[CaseSet, ...] = ("exam", "holdout")
    for which in sets:
        result = compared({case.id: case for case in chosen(found, which)}, one, other)
        if as_json:
            told = {"p": result.p, "verdict": result.verdict, **to_builtins(result)}
            typer.echo(json_line({"type": "comparison", "set": which, **told}))
            continue
        change = "" if result.difference is None else f"   recall minus false alarms {result.difference:+.2f}"
        typer.echo(f"{which}: {result.cases} cases   right {result.right[0]} and {result.right[1]}{change}")
        typer.echo(
            f"  {result.verdict} (McNemar p = {result.p:.3f})   {result.seconds[0]:.0f} s and {result.seconds[1]:.0f} s"
        )
        for name, ids in (("first", result.only_first), ("second", result.only_second)):
            if ids:
                typer.echo(f"  only the {name} is right: {', '.join(ids[:12])}{' …' if len(ids) > 12 else ''}")
    return 0


@judge_app.command()
def probe(
    number: Annotated[int, typer.Option("-n", "--n", min=1, max=1000, help="So many faults.")] = 20,
    minutes: Annotated[float, typer.Option("--minutes", min=0.1, help="Stop after so many minutes.")] = 10.0,
    kind: Annotated[str, typer.Option("--kind", help="Only faults of this kind, such as boundary.")] = "",
    yes: YesOption = False,
    rehearsal: RehearsalOption = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> int:
    """Plant faults into accepted work and keep those that the project's own tests find, for `obra judge eval`."""
    from obra_tui.services.archive import open_history
    from obra_tui.services.judge_probes import bases_of

    root, settings = _place(project)
    with open_history(settings) as history:
        book = history.judge_book(str(root), rehearsal=rehearsal)
        bases = bases_of(history.past_work(str(root), rehearsal=rehearsal), book)
        if not bases:
            typer.echo("No work was accepted here by somebody who looked at it: there is nothing to plant faults into.")
            return 0
        if not as_json:
            typer.echo(f"{len(bases)} bases; each runs its checks five times or more, for {minutes:g} min at most")
        if not _may_go_on(yes=yes):
            return 0
        kept = asyncio.run(
            _planted(settings, root, history, bases, book, wanted=number, minutes=minutes, kind=kind, as_json=as_json)
        )
    if kept:
        _write(settings, root, "Planted faults", [CaseKept(case=case) for case in kept], rehearsal=rehearsal)
    if not as_json:
        typer.echo(f"{len(kept)} cases kept; `obra judge eval` asks about them")
    return 0


async def _planted(
    settings: "Settings",
    root: Path,
    history: "SqlHistory",
    bases: Sequence[PastWork],
    book: CaseBook,
    *,
    wanted: int,
    minutes: float,
    kind: str,
    as_json: bool,
) -> list[JudgeCase]:
    from obra_tui.services.judge_probes import planted_cases

    kept: list[JudgeCase] = []
    planting = planted_cases(
        settings, root, history, bases, tuple(book.cases.values()), wanted=wanted, minutes=minutes, kind=kind
    )
    async for found in planting:
        kept += found.cases
        if as_json:
            for case in found.cases:
                typer.echo(json_line(_case_json(case)))
        elif found.refused:
            typer.echo(f"{one_line(found.title, 50)}: {one_line(found.refused, 200)}; nothing was planted")
        else:
            told = f"{len(found.cases)} kept of {found.tried} tried, {found.survivors} found by no test and thrown away"
            typer.echo(f"{one_line(found.title, 50)}: {told}")
            for case in found.cases:
                tests = ", ".join(case.proof.tests[:3]) if case.proof else ""
                typer.echo(f"  {_name_of(case):<28} {case.file}:{case.line}  found by {one_line(tests, 120)}")
    return kept


@judge_app.command("export")
def export_(
    to: Annotated[Path, typer.Argument(help="A new file; one case a line.")],
    with_code: Annotated[bool, typer.Option("--with-code", help="Also what was changed and asked for.")] = False,
    rehearsal: RehearsalOption = False,
    project: ProjectOption = HERE,
) -> int:
    """Write the cases to a file, without secrets; the code itself only when it is asked for."""
    from obra_tui.services.archive import open_history
    from obra_tui.services.judge_sets import lines_of
    from obra_tui.services.judge_trials import all_cases, chosen, prepared

    root, settings = _place(project)
    with open_history(settings) as history:
        found, book = all_cases(history, str(root), rehearsal=rehearsal)
        plan = prepared(history, chosen(found, "all"), book.cases, "", len(found) + 1)
    text = "".join(f"{line}\n" for line in lines_of(plan.shown, with_code=with_code))
    try:
        with to.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(f"It was not written: {error.strerror}.", where=str(to), fix="Name a new file.") from error
    typer.echo(f"{len(plan.shown)} cases in {to}")
    _tell_left_out(plan)
    return 0


@judge_app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="A file that `obra judge export --with-code` wrote.")],
    rehearsal: RehearsalOption = False,
    project: ProjectOption = HERE,
) -> int:
    """Read cases from elsewhere. They are somebody's word: nothing may be earned by them until they are proved here."""
    from obra_tui.services.judge_sets import read_set

    root, settings = _place(project)
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The set cannot be read: {error}.", where=str(source), fix="Name a text file.") from error
    found, left_out = read_set(text, str(source))
    for what, count in sorted(left_out.items()):
        typer.echo(f"left out: {count} {what}")
    if found:
        _write(settings, root, "Cases from elsewhere", [CaseKept(case=case) for case in found], rehearsal=rehearsal)
    typer.echo(f"{len(found)} cases taken in without proof: they can be asked about, and earn no authority")
    return 0


# --- asking --------------------------------------------------------------------------------------


async def _identified(judge: "QwenJudge") -> JudgeIdentity:
    try:
        return await judge.identify()
    finally:
        await judge.close()


def _ask(
    settings: "Settings",
    root: Path,
    judge: "QwenJudge",
    shown: Sequence["ShownCase"],
    kept: set[str],
    *,
    rehearsal: bool,
    as_json: bool,
) -> list[tuple[JudgeCase, Trial]]:
    """Ask one after the other; what was answered is written also when it is interrupted."""
    from obra_tui.bootstrap.client import open_client
    from obra_tui.services.judge_trials import asked, events_of, lane_of, rules_of

    told: list[tuple[JudgeCase, Trial]] = []
    waiting: list[tuple[ShownCase, Trial]] = []

    async def ask() -> None:
        try:
            async for item, trial in asked(judge, shown, rules_of(settings), lane_of(settings)):
                told.append((item.case, trial))
                waiting.append((item, trial))
                typer.echo(_trial_line(item.case, trial, len(told), len(shown), as_json=as_json))
                if len(waiting) == _WRITTEN_TOGETHER:
                    await asyncio.to_thread(write)
        finally:
            await judge.close()

    with open_client(settings, root) as client:

        def write() -> None:
            events = tuple(events_of(waiting, kept))
            kept.update(item.case.id for item, _ in waiting)
            waiting.clear()
            mark = "trials" if rehearsal else ""
            client.send(RecordJudging(title="Answers to cases", events=events, rehearsal=mark))

        try:
            asyncio.run(ask())
        finally:
            if waiting:
                write()
    return told


def _tell_cost(plan: "TrialPlan", calls: int, model: str, *, as_json: bool) -> None:
    each = plan.seconds_each
    if as_json:
        left_out = dict(plan.left_out)
        typer.echo(json_line({"type": "cost", "calls": calls, "seconds_each": each, "left_out": left_out}))
        return
    if not calls:
        typer.echo("No case is left to be asked about: `obra judge cases` lists what there is.")
    elif each is None:
        typer.echo(f"{calls} calls of {model}; how long one takes was not measured yet")
    else:
        typer.echo(f"{calls} calls, about {calls * each / 60:.0f} min with {model} ({each:.0f} s a call, measured)")
    _tell_left_out(plan)


def _tell_left_out(plan: "TrialPlan") -> None:
    for why, count in plan.left_out:
        typer.echo(f"left out: {count} cases, {why}")


def _may_go_on(*, yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        raise ConfigError("Nobody is there to say that it may cost that much.", fix="Say --yes.")
    return typer.confirm("Ask them?", default=True)


def _tell_result(answers: Sequence[tuple[JudgeCase, Trial]]) -> None:
    for truth, word in (("bad", "faulty ones stopped"), ("good", "good ones passed")):
        of = [trial for case, trial in answers if case.truth == truth]
        hits = sum(trial.passes == (truth == "good") for trial in of)
        typer.echo(f"{hits} of {len(of)} {word}")
    unjudged = sum(bool(trial.unjudged) for _, trial in answers)
    if unjudged:
        typer.echo(f"{unjudged} without a verdict")


# --- lines and places ----------------------------------------------------------------------------


def _trial_line(case: JudgeCase, trial: Trial, number: int, of: int, *, as_json: bool) -> str:
    if as_json:
        told = {"truth": case.truth.value, "source": case.source.value, "kind": case.kind}
        return json_line({"type": "trial", **told, **to_builtins(trial)})
    said = f"unjudged: {one_line(trial.unjudged, 120)}" if trial.unjudged else "passes" if trial.passes else "stopped"
    right = "" if trial.unjudged else " ✓" if trial.passes == (case.truth == "good") else " ✗"
    return f"{number:>4}/{of}  {case.id}  {case.truth.value:<4}  {_name_of(case):<24} {said}{right}"


def _case_line(case: JudgeCase) -> str:
    held = "held out" if case.is_holdout else ""
    what = f"{case.truth.value:<4} {case.strength}  {_name_of(case):<28}"
    return f"{case.id}  {what} {case.attempt or '':<18} {held}".rstrip()


def _name_of(case: JudgeCase) -> str:
    source = case.source.value.replace("_", " ")
    return f"{source}: {case.kind}" if case.kind and case.kind != source else source


def _case_json(case: JudgeCase) -> dict[str, object]:
    told: dict[str, object] = {"type": "judge_case", **to_builtins(case), "holdout": case.is_holdout}
    told.pop("diff")
    return told


def _trials_of(trials: Sequence[Trial], name: str) -> list[Trial]:
    """Return the trials of one version. Raises `UnknownId` when the name is none's, or several versions'."""
    versions = {item.version: item for item in trials if item.version.startswith(name) or item.model == name}
    if len(versions) != 1:
        known = ", ".join(sorted({f"{item.version[:8]} ({item.model}, {item.rubric})" for item in trials})) or "none"
        what = f"{name} could be several judges" if versions else f"No judge {name} has answered a case here"
        raise UnknownId(f"{what}.", fix=f"Those that have: {known}.")
    (version,) = versions
    return [item for item in trials if item.version == version]


def _retire(
    settings: "Settings", root: Path, found: dict[str, JudgeCase], name: str, note: str, *, rehearsal: bool
) -> int:
    matching = [case for case in found if case.startswith(name)]
    if len(matching) != 1:
        raise UnknownId(f"No case, or more than one, begins with {name}.", fix="`obra judge cases` lists them.")
    if not note.strip():
        raise ConfigError("A case is retired for a reason.", fix="Say it with --note.")
    events: list[Judging] = [CaseKept(case=found[matching[0]]), CaseRetired(case=matching[0], reason=note.strip())]
    _write(settings, root, "A case is retired", events, rehearsal=rehearsal)
    typer.echo(f"{matching[0]} does not count any more")
    return 0


def _write(settings: "Settings", root: Path, title: str, events: Sequence[Judging], *, rehearsal: bool) -> None:
    from obra_tui.bootstrap.client import send_command

    mark = "trials" if rehearsal else ""
    send_command(settings, root, RecordJudging(title=title, events=tuple(events), rehearsal=mark))


def _place(project: Path) -> tuple[Path, "Settings"]:
    from obra_tui.config.load import load
    from obra_tui.services.project import project_root

    root = project_root(project)
    return root, load(root)
