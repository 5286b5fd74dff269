"""What is measured over the history, and what each figure means.

A figure is made by one SQL statement that anybody can run again, says how many
cases it rests on, and names the search line that lists them. Statistics are
here; the statements are the store's.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import sqrt
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

Unit = Literal["share", "score", "count", "usd", "seconds", "ratio", "tokens", "kappa"]
Direction = Literal["", "up", "down"]
By = Literal["", "project", "model", "judge", "rubric", "day", "week", "policy"]
BY: tuple[By, ...] = ("", "day", "week", "project", "model", "judge", "rubric", "policy")
Z95 = 1.959963984540054
FOREVER = 1e12
SMALL = 5
"""Fewer cases than this show no trend."""

LOOKED_S = 3.0
"""An approval after less time before the work is a rubber stamp: it says nothing of the work."""


class Scope(Struct, frozen=True, kw_only=True):
    """Which attempts count. Imported sessions never do; rehearsals only when they are asked for."""

    since: float = 0.0
    until: float = FOREVER
    project: str = ""
    model: str = ""
    """Part of the name of the implementing or the judging model."""
    rehearsal: bool = False
    by: By = ""


class Interval(Struct, frozen=True):
    low: float
    high: float


class Metric(Struct, frozen=True, kw_only=True):
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


class MetricsGroup(Struct, frozen=True, kw_only=True):
    name: str
    figures: tuple[Metric, ...]

    def __getitem__(self, name: str) -> Metric:
        return next(figure for figure in self.figures if figure.name == name)


class MetricsReport(Struct, frozen=True, kw_only=True):
    scope: Scope
    groups: tuple[MetricsGroup, ...] = ()
    threshold: float | None = None
    """Of the gate, if it was the same for all attempts."""
    sql: Mapping[str, str] = field(default_factory=dict)
    """Figure → the statement that made it, with its values written in."""


class Definition(Struct, frozen=True, kw_only=True):
    name: str
    title: str
    unit: Unit
    text: str
    good: Direction = ""
    """Which way is better; empty when neither is."""


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        name="pass_rate",
        title="pass rate",
        unit="share",
        text="Attempts that pass the gate, of all that came to it.",
        good="up",
    ),
    Definition(
        name="first_try",
        title="first-try rate",
        unit="share",
        text="Tasks that were accepted with their first attempt, of all tasks with an attempt.",
        good="up",
    ),
    Definition(
        name="score", title="median score", unit="score", text="Median overall score of scored attempts.", good="up"
    ),
    Definition(
        name="attempts_per_task",
        title="attempts per task",
        unit="ratio",
        text="Attempts divided by their tasks.",
        good="down",
    ),
    Definition(name="attempts", title="attempts", unit="count", text="Attempts that began in the window."),
    Definition(name="tasks", title="tasks", unit="count", text="Tasks that had an attempt in the window."),
    Definition(name="accepted", title="accepted tasks", unit="count", text="Tasks whose work was committed."),
    Definition(
        name="cost",
        title="cost",
        unit="usd",
        text="Estimated cost of all attempts. What is not known counts neither as money nor as a case.",
    ),
    Definition(
        name="cost_per_accepted",
        title="cost per accepted task",
        unit="usd",
        text="Mean of what accepted tasks cost: each with all of its attempts, so that a task bears its own retries.",
        good="down",
    ),
    Definition(
        name="cost_not_accepted",
        title="cost of other tasks",
        unit="usd",
        text="Cost of the attempts of tasks that were not accepted (yet).",
        good="down",
    ),
    Definition(
        name="tokens_per_accepted",
        title="tokens per accepted task",
        unit="tokens",
        text="Mean tokens of accepted tasks, all of their attempts and the cache included.",
        good="down",
    ),
    Definition(
        name="claude_time",
        title="time of Claude Code",
        unit="seconds",
        text="Sum of the time that Claude Code worked on the attempts.",
    ),
    Definition(
        name="checks_time", title="time of the checks", unit="seconds", text="Sum of the time that the checks ran."
    ),
    Definition(
        name="judge_time", title="time of the judge", unit="seconds", text="Sum of the time that the reviews took."
    ),
    Definition(
        name="wait_time",
        title="time waiting for a person",
        unit="seconds",
        text="Sum of the time from the opening of a gate to the person's decision.",
    ),
    Definition(
        name="wait",
        title="waiting, median",
        unit="seconds",
        text="From the opening of a gate to the person's decision.",
        good="down",
    ),
    Definition(
        name="wait_p90",
        title="waiting, 90 %",
        unit="seconds",
        text="The wait that nine of ten gates do not exceed.",
        good="down",
    ),
    Definition(
        name="unjudged",
        title="judge faults",
        unit="share",
        text="Reviews that ended without a usable verdict (no answer in time, unreadable answer, prompt cut), "
        "of all reviews.",
        good="down",
    ),
    Definition(
        name="agreement",
        title="judge agrees with the person",
        unit="share",
        text="Person's decisions on the same side as the gate's own rule, the judge included: it would pass and was "
        "approved, or it would not and was not approved. A score that the person gave before the judge's was shown "
        "stands in place of their decision; reverted work counts as not approved. Approvals against the gate, and "
        "those within three seconds, are no answer, unless such a score was given.",
        good="up",
    ),
    Definition(
        name="kappa",
        title="agreement beyond chance",
        unit="kappa",
        text="Cohen's kappa of the judge and the person: 1 is perfect, 0 is what chance would give.",
        good="up",
    ),
    Definition(
        name="false_pass",
        title="false passes",
        unit="share",
        text="Of what the gate's own rule would have passed and a person decided: how much was not approved, or was "
        "reverted later, whoever had let it pass. An approval within three seconds is no decision.",
        good="down",
    ),
    Definition(
        name="false_alarm",
        title="false alarms",
        unit="share",
        text="Of what the gate's own rule would not have passed and a person decided: how much they held to be good, "
        "by a score that they gave before the judge's was shown. An approval against the gate alone is no such word.",
        good="down",
    ),
    Definition(
        name="overrides",
        title="approved below the gate",
        unit="share",
        text="Approvals of work that the gate did not pass, of all approvals by a person.",
    ),
    Definition(
        name="refusals",
        title="refused above the gate",
        unit="share",
        text="Work that passed the gate, of all that a person rejected or sent back.",
    ),
)
"""In the order in which people want to know them."""
NAMES = frozenset(definition.name for definition in DEFINITIONS)


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


def shown(figure: Metric) -> str:
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


def basis(figure: Metric) -> str:
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


# --- from a figure to its rows -------------------------------------------------------------------

_FIELDS: Mapping[By, str] = {
    "project": "project",
    "model": "model",
    "judge": "model",
    "rubric": "rubric",
    "policy": "policy",
}


def rows_line(scope: Scope, group: str, figure: Metric) -> str:
    """Return the search line that lists what a figure counts: the hits of a share, else all of its cases."""
    parts = [f"figure:{figure.name}{'=yes' if figure.hits else ''}", *_window(scope, group)]
    if scope.project:
        parts.append(_clause("project", scope.project))
    if scope.model:
        parts.append(f'model:"{scope.model}"')
    if scope.by in _FIELDS and group:
        parts.append(_clause(_FIELDS[scope.by], group))
    if not scope.rehearsal:
        parts.append("-is:rehearsal")
    return " ".join(parts)


def _window(scope: Scope, group: str) -> Sequence[str]:
    since, until = scope.since, scope.until
    if scope.by in ("day", "week") and group:
        first = datetime.fromisoformat(group)
        since = max(since, first.timestamp())
        until = min(until, (first + timedelta(days=1 if scope.by == "day" else 7)).timestamp())
    bounds = (("since", since, since > 0), ("until", until, until < FOREVER))
    return [f"{name}:{datetime.fromtimestamp(at).isoformat()}" for name, at, wanted in bounds if wanted]


def _clause(field: str, whole: str) -> str:
    """The whole name and not a part of it."""
    return f'{field}:"={whole}"'


# --- as text ---------------------------------------------------------------------------------------


def as_csv(measured: MetricsReport) -> str:
    """Return the figures as comma-separated values, one line per group and figure."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["group", "figure", "value", "hits", "of", "low", "high", "unit"])
    for group in measured.groups:
        writer.writerows([group.name, *_cells(figure)] for figure in group.figures)
    return file.getvalue()


def _cells(figure: Metric) -> list[object]:
    between = (figure.interval.low, figure.interval.high) if figure.interval else ("", "")
    return [figure.name, figure.value, figure.hits, figure.of, *between, figure.unit]


# --- change ----------------------------------------------------------------------------------------


def change(now: Metric, before: Metric) -> str:
    """Return how a figure moved against the window before: `▲ 6`; empty where the cases are too few to tell."""
    if now.value is None or before.value is None or min(now.of, before.of) < SMALL:
        return ""
    more = now.value - before.value
    moved = f"{abs(more) * 100:.0f}" if now.unit == "share" else shown(replace(now, value=abs(more)))
    if moved.strip("$0.:") == "":
        return "="
    return f"{'▲' if more > 0 else '▼'} {moved}"
