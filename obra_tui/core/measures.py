"""What is measured over the history, and what each figure means.

A figure is made by one SQL statement that anybody can run again, says how many
cases it rests on, and names the search line that lists them. Statistics are
here; the statements are the store's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Literal

Unit = Literal["share", "score", "count", "usd", "seconds", "ratio", "tokens", "kappa"]
By = Literal["", "project", "model", "judge", "rubric", "day", "week", "policy"]
BY: tuple[By, ...] = ("", "day", "week", "project", "model", "judge", "rubric", "policy")
Z95 = 1.959963984540054
SMALL = 5
"""Fewer cases than this show no trend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which attempts count. Imported sessions never do; rehearsals only when they are asked for."""

    since: float = 0.0
    until: float = 1e12
    project: str = ""
    model: str = ""
    """Part of the name of the implementing or the judging model."""
    rehearsal: bool = False
    by: By = ""


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number with what it rests on; `value` is None when there is no case."""

    name: str
    title: str
    unit: Unit
    value: float | None
    of: int
    """Cases."""
    hits: int | None = None
    """Of those, how many count; only for shares."""
    interval: Interval | None = None
    """95 %, of a share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    name: str
    figures: tuple[Figure, ...]

    def __getitem__(self, name: str) -> Figure:
        return next(figure for figure in self.figures if figure.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    scope: Scope
    groups: tuple[Group, ...] = ()
    sql: Mapping[str, str] = field(default_factory=dict)
    """Figure → the statement that made it, with its values written in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    name: str
    title: str
    unit: Unit
    text: str
    line: str = ""
    """Search line that lists its cases."""


DEFINITIONS: tuple[Definition, ...] = (
    Definition(name="attempts", title="attempts", unit="count", text="Attempts that began in the window."),
    Definition(name="tasks", title="tasks", unit="count", text="Tasks that had an attempt in the window."),
    Definition(
        name="accepted",
        title="accepted tasks",
        unit="count",
        text="Tasks whose work was committed.",
        line="is:accepted",
    ),
    Definition(
        name="pass_rate",
        title="pass rate",
        unit="share",
        text="Scored attempts whose score and floor pass the gate, of all scored attempts.",
        line="verdict:pass",
    ),
    Definition(
        name="first_try",
        title="first-try rate",
        unit="share",
        text="Tasks that were accepted with their first attempt, of all tasks with an attempt.",
        line="is:accepted attempts:1",
    ),
    Definition(
        name="attempts_per_task", title="attempts per task", unit="ratio", text="Attempts divided by their tasks."
    ),
    Definition(name="score", title="median score", unit="score", text="Median overall score of scored attempts."),
    Definition(name="cost", title="cost", unit="usd", text="Estimated cost of all attempts."),
    Definition(
        name="cost_per_accepted",
        title="cost per accepted task",
        unit="usd",
        text="Cost of all attempts, retries and work that was never accepted included, divided by the accepted tasks.",
        line="is:accepted",
    ),
    Definition(
        name="tokens_per_accepted",
        title="tokens per accepted task",
        unit="tokens",
        text="Tokens of all attempts, cache included, divided by the accepted tasks.",
        line="is:accepted",
    ),
    Definition(
        name="wait",
        title="waiting for a person, median",
        unit="seconds",
        text="From the opening of a gate to the person's decision.",
        line="by:person",
    ),
    Definition(
        name="wait_p90",
        title="waiting for a person, 90 %",
        unit="seconds",
        text="The wait that nine of ten gates do not exceed.",
        line="by:person",
    ),
    Definition(
        name="unjudged",
        title="unjudged",
        unit="share",
        text="Reviews that ended without a usable verdict, of all reviews.",
        line="is:unjudged",
    ),
    Definition(
        name="agreement",
        title="judge agrees with the person",
        unit="share",
        text="Person's decisions where the judge's own stages were on the same side: their mean at or over the "
        "threshold and approved, or below it and not approved.",
        line="by:person",
    ),
    Definition(
        name="false_pass",
        title="false passes",
        unit="share",
        text="Of what the judge would have passed and a person decided: how much the person did not approve.",
        line="by:person -verdict:approved",
    ),
    Definition(
        name="false_alarm",
        title="false alarms",
        unit="share",
        text="Of what the judge would not have passed and a person decided: how much the person approved.",
        line="by:person verdict:approved",
    ),
    Definition(
        name="kappa",
        title="agreement beyond chance",
        unit="kappa",
        text="Cohen's kappa of the judge and the person: 1 is perfect, 0 is what chance would give.",
        line="by:person",
    ),
    Definition(
        name="overrides",
        title="overrides",
        unit="share",
        text="Approvals of work that the gate did not pass, of all approvals by a person.",
        line="is:overridden",
    ),
)


def wilson(hits: int, of: int, z: float = Z95) -> Interval | None:
    """Return Wilson's interval of a share: it stays within 0–1 and is honest for few cases."""
    if of <= 0:
        return None
    share = hits / of
    middle = share + z * z / (2 * of)
    spread = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    return Interval(max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale))


def kappa(both_yes: int, both_no: int, only_one: int, only_other: int) -> float | None:
    """Return Cohen's kappa of two raters, None when there is nothing or only one answer to agree on."""
    total = both_yes + both_no + only_one + only_other
    if not total:
        return None
    seen = (both_yes + both_no) / total
    one_yes, other_yes = (both_yes + only_one) / total, (both_yes + only_other) / total
    by_chance = one_yes * other_yes + (1 - one_yes) * (1 - other_yes)
    return None if by_chance >= 1.0 else (seen - by_chance) / (1 - by_chance)


def shown(figure: Figure) -> str:
    """Return the value as people read it."""
    value = figure.value
    if value is None:
        return "–"
    match figure.unit:
        case "share":
            return f"{value * 100:.0f} %"
        case "usd":
            return f"${value:.2f}"
        case "seconds":
            return _duration(value)
        case "count" | "tokens":
            return f"{value:,.0f}"
        case "score" | "ratio" | "kappa":
            return f"{value:.2f}"


def basis(figure: Figure) -> str:
    """Return what it rests on: `45 of 61, 62–83 %`."""
    if figure.hits is None:
        return f"n={figure.of}"
    between = figure.interval
    span = f", {between.low * 100:.0f}–{between.high * 100:.0f} %" if between else ""
    return f"{figure.hits} of {figure.of}{span}"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 3_600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3_600}:{whole % 3_600 // 60:02d}:{whole % 60:02d}"


def table(measured: Measured) -> tuple[tuple[str, ...], Sequence[tuple[str, ...]]]:
    """Return the figures as plain rows under a head: one row per figure, one column per group."""
    names = [group.name or "all" for group in measured.groups]
    rows = []
    for definition in DEFINITIONS:
        cells = [f"{shown(g[definition.name])} ({basis(g[definition.name])})" for g in measured.groups]
        rows.append((definition.title, *cells))
    return ("figure", *names), rows
