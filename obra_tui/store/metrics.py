"""The statements behind `core.measures`: plain SQL that anybody can run again.

All stand on `scope`, the attempts that count, and return one row per group. The
cases of a figure come from the same rows as the figure itself, so that a list
of them is as long as the figure says.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Dialect, TextualSelect, bindparam, column, text

from obra_tui.core.records.metrics import (
    DEFINITIONS,
    LOOKED_S,
    Definition,
    Metric,
    MetricsGroup,
    MetricsReport,
    Scope,
    kappa,
    wilson,
)
from obra_tui.store.database import use_local_time

_TOKENS = "input_tokens + output_tokens + cache_read_tokens + cache_write_tokens"
_KNOWN_COST = f"CASE WHEN {{0}}cost_usd > 0 OR {_TOKENS} = 0 THEN {{0}}cost_usd END"
"""Tokens that cost nothing are tokens of which the cost is not known."""

_SCOPE = """
WITH scope AS (
  SELECT attempt.*, session.project, session.policy, session.threshold, acceptance.task AS accepted, {group} AS grouped,
    {cost} AS cost
  FROM attempt
  JOIN session ON session.id = attempt.session
  LEFT JOIN acceptance ON acceptance.attempt = attempt.id
  WHERE session.kind NOT IN ('imported', 'probing')
    AND (:rehearsal = 1 OR session.rehearsal = '')
    AND attempt.started_at >= :since AND attempt.started_at < :until
    AND (:project = '' OR session.project = :project)
    AND (:model = '' OR lower(attempt.claude_model) LIKE :like ESCAPE '\\'
         OR lower(attempt.judge_model) LIKE :like ESCAPE '\\')
)"""

_GROUPS = {
    "": "''",
    "project": "session.project",
    "model": "attempt.claude_model",
    "judge": "attempt.judge_model",
    "policy": "session.policy",
    "rubric": "coalesce((SELECT max(verdict.rubric) FROM verdict WHERE verdict.attempt = attempt.id), '')",
    "day": "date(attempt.started_at, 'unixepoch', 'localtime')",
    "week": "date(attempt.started_at, 'unixepoch', 'localtime', 'weekday 0', '-6 days')",
}
"""A week is named by its Monday."""
_ON_POSTGRESQL = {
    "day": "to_char(to_timestamp(attempt.started_at), 'YYYY-MM-DD')",
    "week": "to_char(date_trunc('week', to_timestamp(attempt.started_at)), 'YYYY-MM-DD')",
}

_ALL = "FROM scope"
_BY_PERSON = """FROM scope
  JOIN decision ON decision.attempt = scope.id AND decision.by LIKE 'person%'
  JOIN gate ON gate.id = decision.gate"""
_CHECKS = "FROM scope JOIN check_result ON check_result.attempt = scope.id"
_REVIEWS = "FROM scope JOIN verdict ON verdict.attempt = scope.id"
_BILL = f"""FROM (
  SELECT whole.id, whole.grouped,
    (SELECT sum({_KNOWN_COST.format("mine.")}) FROM attempt AS mine WHERE mine.task = whole.task) AS cost,
    (SELECT sum({_TOKENS}) FROM attempt AS mine WHERE mine.task = whole.task) AS tokens
  FROM scope AS whole WHERE whole.accepted IS NOT NULL
) AS scope"""
"""An accepted task with all of its attempts, also those outside of the window."""
_REVERTED = "coalesce(acceptance.reverted, '') <> ''"
_LOOKED = f"NOT decision.override AND decision.open_s >= {LOOKED_S:g}"
_LABEL = f"""({_REVERTED} OR decision.by LIKE 'person%' AND (
    decision.own_score IS NOT NULL OR decision.kind <> 'approve' OR {_LOOKED}))"""
_JUDGED = f"""FROM (
  SELECT of.id, of.grouped,
    CASE WHEN quality.passes THEN 1 ELSE 0 END AS judge,
    CASE WHEN decision.kind = 'approve' AND NOT {_REVERTED} THEN 1 ELSE 0 END AS person,
    CASE WHEN coalesce(decision.own_score >= quality.threshold, decision.kind = 'approve') AND NOT {_REVERTED}
      THEN 1 ELSE 0 END AS opinion
  FROM scope AS of
  JOIN decision ON decision.attempt = of.id
  JOIN quality ON quality.attempt = of.id AND quality.seq = (
    SELECT max(last.seq) FROM quality AS last WHERE last.attempt = of.id AND last.seq < decision.seq)
  LEFT JOIN acceptance ON acceptance.attempt = of.id
  WHERE quality.requirements IS NOT NULL AND quality.quality IS NOT NULL AND {_LABEL}
) AS scope"""
"""Decisions that say what the work was worth, against the gate's own rule."""


class _Rows(Struct, frozen=True, kw_only=True):
    """Where a figure's cases come from and what is made of them."""

    source: str = _ALL
    where: str = ""
    cells: str = ""
    """What is selected per group."""
    hit: str = ""
    """Of a share: what counts."""

    def of_group(self, head: str) -> str:
        where = f"\nWHERE {self.where}" if self.where else ""
        return f"{head}\nSELECT grouped, {self.cells}\n{self.source}{where}\nGROUP BY grouped"

    def cases(self, head: str, *, hits: bool) -> str:
        wanted = " AND ".join(filter(None, (self.where, self.hit if hits else "")))
        return f"{head}\nSELECT DISTINCT scope.id {self.source}{f' WHERE {wanted}' if wanted else ''}"


class _Ranked(_Rows, frozen=True, kw_only=True):
    """A value at a rank; an even number of cases takes the mean of the two in the middle."""

    value: str
    place: str

    def of_group(self, head: str) -> str:
        where = f"\n  WHERE {self.where}" if self.where else ""
        return f"""{head}
SELECT grouped, avg(value), max(cases) FROM (
  SELECT scope.grouped AS grouped, {self.value} AS value,
    row_number() OVER (PARTITION BY scope.grouped ORDER BY {self.value}) AS place,
    count(*) OVER (PARTITION BY scope.grouped) AS cases
  {self.source}{where}
) AS ranked WHERE {self.place} GROUP BY grouped"""


def _share(hit: str, source: str = _ALL, where: str = "", of: str = "count(*)") -> _Rows:
    return _Rows(source=source, where=where, hit=hit, cells=f"sum(CASE WHEN {hit} THEN 1 ELSE 0 END), {of}")


def _sum(value: str, source: str = _ALL, where: str = "") -> _Rows:
    return _Rows(source=source, where=where, cells=f"sum({value}), count({value})")


_MEDIAN = "place IN ((cases + 1) / 2, (cases + 2) / 2)"
_P90 = "place = (cases * 9 + 9) / 10"
_WAIT = "decision.at - gate.opened_at"
_REFUSED = "decision.kind IN ('reject', 'changes')"

_FIGURES: Mapping[str, _Rows] = {
    "pass_rate": _share("passes", where="passes IS NOT NULL"),
    "first_try": _share("accepted IS NOT NULL AND number = 1", of="count(DISTINCT task)"),
    "score": _Ranked(value="scope.score", where="scope.score IS NOT NULL", place=_MEDIAN),
    "attempts_per_task": _Rows(cells="1.0 * count(*) / count(DISTINCT task), count(DISTINCT task)"),
    "attempts": _Rows(cells="count(*), count(*)"),
    "tasks": _Rows(cells="count(DISTINCT task), count(DISTINCT task)"),
    "accepted": _Rows(cells="count(DISTINCT accepted), count(DISTINCT accepted)", where="accepted IS NOT NULL"),
    "cost": _sum("cost", where="cost IS NOT NULL"),
    "cost_per_accepted": _Rows(source=_BILL, where="cost IS NOT NULL", cells="avg(cost), count(*)"),
    "cost_not_accepted": _sum("cost", where="cost IS NOT NULL AND task NOT IN (SELECT task FROM acceptance)"),
    "tokens_per_accepted": _Rows(source=_BILL, cells="avg(tokens), count(*)"),
    "claude_time": _sum("scope.duration_s", where="scope.duration_s IS NOT NULL"),
    "checks_time": _sum("check_result.duration_s", _CHECKS),
    "judge_time": _sum("verdict.duration_s", _REVIEWS),
    "wait_time": _sum(_WAIT, _BY_PERSON),
    "wait": _Ranked(source=_BY_PERSON, value=_WAIT, place=_MEDIAN),
    "wait_p90": _Ranked(source=_BY_PERSON, value=_WAIT, place=_P90),
    "unjudged": _share("verdict.unjudged <> ''", _REVIEWS),
    "agreement": _share("judge = opinion", _JUDGED),
    "kappa": _Rows(
        source=_JUDGED,
        cells="sum(judge * opinion), sum((1 - judge) * (1 - opinion)),\n  sum(judge * (1 - opinion)), "
        "sum((1 - judge) * opinion)",
    ),
    "false_pass": _share("person = 0", _JUDGED, "judge = 1"),
    "false_alarm": _share("opinion = 1", _JUDGED, "judge = 0"),
    "overrides": _share("NOT scope.passes", _BY_PERSON, "decision.kind = 'approve'"),
    "refusals": _share("scope.passes", _BY_PERSON, _REFUSED),
}
_THRESHOLDS = "\nSELECT min(threshold), max(threshold) FROM scope"


def statement(name: str, scope: Scope, dialect: str = "sqlite") -> str:
    """Return the SQL of a figure, with `:names` for the values of the scope."""
    return _FIGURES[name].of_group(_head(scope, dialect)).strip()


def cases(name: str, *, hits: bool = False) -> TextualSelect:
    """Return the ids of the attempts that a figure counts, of all times and rehearsals too."""
    head = _head(Scope(), "")
    everything = parameters(Scope(rehearsal=True))
    query = text(_FIGURES[name].cases(head, hits=hits).strip())
    return query.bindparams(*(bindparam(key, value, unique=True) for key, value in everything.items())).columns(
        column("id")
    )


def _head(scope: Scope, dialect: str) -> str:
    groups = {**_GROUPS, **_ON_POSTGRESQL} if dialect == "postgresql" else _GROUPS
    return _SCOPE.format(group=groups[scope.by], cost=_KNOWN_COST.format("attempt."))


def parameters(scope: Scope) -> dict[str, object]:
    wanted = scope.model.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {
        "rehearsal": int(scope.rehearsal),
        "since": scope.since,
        "until": scope.until,
        "project": scope.project,
        "model": scope.model,
        "like": f"%{wanted}%",
    }


def written_out(name: str, scope: Scope, dialect: Dialect) -> str:
    """Return the SQL with its values in it: paste it into any shell of the database."""
    query = text(statement(name, scope, dialect.name))
    query = query.bindparams(*(bindparam(key, value) for key, value in parameters(scope).items()))
    written = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    doubled = dialect.paramstyle in ("format", "pyformat")  # for the driver, which is not asked here
    return written.replace("%%", "%") if doubled else written


def measure(connection: Connection, scope: Scope) -> MetricsReport:
    """Run every statement and put the figures together by group."""
    dialect = connection.dialect
    use_local_time(connection)
    found: dict[str, dict[str, Metric]] = {}
    for definition in DEFINITIONS:
        rows = connection.execute(text(statement(definition.name, scope, dialect.name)), parameters(scope)).all()
        for row in rows:
            found.setdefault(str(row[0] or ""), {})[definition.name] = _figure(definition, row[1:])
    groups = tuple(_group(name, found[name]) for name in sorted(found)) or (_group("", {}),)
    lowest, highest = connection.execute(text(_head(scope, dialect.name) + _THRESHOLDS), parameters(scope)).one()
    return MetricsReport(
        scope=scope,
        groups=groups,
        threshold=lowest if lowest == highest else None,
        sql={d.name: written_out(d.name, scope, dialect) for d in DEFINITIONS},
    )


def _group(name: str, figures: Mapping[str, Metric]) -> MetricsGroup:
    return MetricsGroup(name=name, figures=tuple(figures.get(d.name) or _figure(d, (0, 0)) for d in DEFINITIONS))


def _figure(definition: Definition, cells: Sequence[Any]) -> Metric:
    value: float | None
    hits, interval = None, None
    if definition.name == "kappa":
        counts = [int(cell or 0) for cell in (*cells, 0, 0)[:4]]
        value, of = kappa(*counts), sum(counts)
    elif definition.unit == "share":
        hits, of = int(cells[0] or 0), int(cells[1] or 0)
        value, interval = (hits / of if of else None), wilson(hits, of)
    else:
        of = int(cells[1] or 0)
        value = None if cells[0] is None or (not of and definition.unit != "count") else float(cells[0])
    return Metric(
        name=definition.name,
        title=definition.title,
        unit=definition.unit,
        value=value,
        of=of,
        hits=hits,
        interval=interval,
    )
