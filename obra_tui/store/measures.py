"""The statements behind `core.measures`: plain SQL that anybody can run again.

All stand on `scope`, the attempts that count, and return one row per group.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects import sqlite

from obra_tui.core.measures import DEFINITIONS, Definition, Figure, Group, Measured, Scope, kappa, wilson

_SCOPE = """
WITH scope AS (
  SELECT attempt.*, session.project, session.policy, acceptance.task AS accepted, {group} AS grouped
  FROM attempt
  JOIN session ON session.id = attempt.session
  LEFT JOIN acceptance ON acceptance.attempt = attempt.id
  WHERE session.kind <> 'imported'
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
    "week": "strftime('%Y-W%W', attempt.started_at, 'unixepoch', 'localtime')",
}
_ON_POSTGRESQL = {
    "day": "to_char(to_timestamp(attempt.started_at), 'YYYY-MM-DD')",
    "week": "to_char(to_timestamp(attempt.started_at), 'IYYY-\"W\"IW')",
}

_BY_PERSON = """
  FROM scope
  JOIN decision ON decision.attempt = scope.id AND decision.by LIKE 'person%'
  JOIN gate ON gate.id = decision.gate
"""
_JUDGED = """, judged AS (
  SELECT scope.grouped,
    CASE WHEN (quality.requirements + quality.quality) / 2 >= quality.threshold THEN 1 ELSE 0 END AS judge,
    CASE WHEN decision.kind = 'approve' THEN 1 ELSE 0 END AS person
  FROM scope
  JOIN decision ON decision.attempt = scope.id AND decision.by LIKE 'person%'
  JOIN quality ON quality.attempt = scope.id AND quality.seq = (
    SELECT max(last.seq) FROM quality AS last WHERE last.attempt = scope.id AND last.seq < decision.seq)
  WHERE quality.requirements IS NOT NULL AND quality.quality IS NOT NULL
)"""
_TOKENS = "input_tokens + output_tokens + cache_read_tokens + cache_write_tokens"


def _middle(value: str, source: str, at: str) -> str:
    """The value at a rank; an even number of cases takes the mean of the two in the middle."""
    return f"""
SELECT grouped, avg(value), max(cases) FROM (
  SELECT scope.grouped AS grouped, {value} AS value,
    row_number() OVER (PARTITION BY scope.grouped ORDER BY {value}) AS place,
    count(*) OVER (PARTITION BY scope.grouped) AS cases
  {source}
) AS ranked WHERE {at} GROUP BY grouped"""


_MEDIAN = "place IN ((cases + 1) / 2, (cases + 2) / 2)"
_P90 = "place = (cases * 9 + 9) / 10"
_WAIT = "decision.at - gate.opened_at"

_SHARES: Mapping[str, str] = {
    "pass_rate": "SELECT grouped, sum(CASE WHEN passes THEN 1 ELSE 0 END), count(*)\n"
    "FROM scope WHERE score IS NOT NULL GROUP BY grouped",
    "first_try": "SELECT grouped, sum(CASE WHEN accepted IS NOT NULL AND number = 1 THEN 1 ELSE 0 END),\n"
    "  count(DISTINCT task) FROM scope GROUP BY grouped",
    "unjudged": "SELECT grouped, sum(CASE WHEN verdict.unjudged <> '' THEN 1 ELSE 0 END), count(*)\n"
    "FROM scope JOIN verdict ON verdict.attempt = scope.id GROUP BY grouped",
    "agreement": "SELECT grouped, sum(CASE WHEN judge = person THEN 1 ELSE 0 END), count(*)\n"
    "FROM judged GROUP BY grouped",
    "false_pass": "SELECT grouped, sum(1 - person), count(*) FROM judged WHERE judge = 1 GROUP BY grouped",
    "false_alarm": "SELECT grouped, sum(person), count(*) FROM judged WHERE judge = 0 GROUP BY grouped",
    "overrides": f"SELECT grouped, sum(CASE WHEN decision.override THEN 1 ELSE 0 END), count(*)"
    f"{_BY_PERSON}WHERE decision.kind = 'approve' GROUP BY grouped",
}
_VALUES: Mapping[str, str] = {
    "attempts": "SELECT grouped, count(*), count(*) FROM scope GROUP BY grouped",
    "tasks": "SELECT grouped, count(DISTINCT task), count(DISTINCT task) FROM scope GROUP BY grouped",
    "accepted": "SELECT grouped, count(DISTINCT accepted), count(DISTINCT task) FROM scope GROUP BY grouped",
    "attempts_per_task": "SELECT grouped, 1.0 * count(*) / count(DISTINCT task), count(DISTINCT task)\n"
    "FROM scope GROUP BY grouped",
    "score": _middle("scope.score", "FROM scope WHERE scope.score IS NOT NULL", _MEDIAN),
    "cost": "SELECT grouped, sum(cost_usd), count(*) FROM scope GROUP BY grouped",
    "cost_per_accepted": "SELECT grouped, sum(cost_usd) / nullif(count(DISTINCT accepted), 0),\n"
    "  count(DISTINCT accepted) FROM scope GROUP BY grouped",
    "tokens_per_accepted": f"SELECT grouped, 1.0 * sum({_TOKENS}) / nullif(count(DISTINCT accepted), 0),\n"
    "  count(DISTINCT accepted) FROM scope GROUP BY grouped",
    "wait": _middle(_WAIT, _BY_PERSON, _MEDIAN),
    "wait_p90": _middle(_WAIT, _BY_PERSON, _P90),
}
_KAPPA = """SELECT grouped, sum(judge * person), sum((1 - judge) * (1 - person)),
  sum(judge * (1 - person)), sum((1 - judge) * person) FROM judged GROUP BY grouped"""
_STANDS_ON_JUDGED = frozenset({"agreement", "false_pass", "false_alarm", "kappa"})


def statement(name: str, scope: Scope, dialect: str = "sqlite") -> str:
    """Return the SQL of a figure, with `:names` for the values of the scope."""
    groups = {**_GROUPS, **_ON_POSTGRESQL} if dialect == "postgresql" else _GROUPS
    head = _SCOPE.format(group=groups[scope.by])
    body = _KAPPA if name == "kappa" else _SHARES.get(name) or _VALUES[name]
    return f"{head}{_JUDGED if name in _STANDS_ON_JUDGED else ''}\n{body.strip()}".strip()


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


def written_out(name: str, scope: Scope) -> str:
    """Return the SQL with its values in it: paste it into any SQLite shell."""
    query = text(statement(name, scope)).bindparams(*(bindparam(k, v) for k, v in parameters(scope).items()))
    return str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))


def measure(connection: Connection, scope: Scope) -> Measured:
    """Run every statement and put the figures together by group."""
    dialect = connection.dialect.name
    found: dict[str, dict[str, Figure]] = {}
    for definition in DEFINITIONS:
        rows = connection.execute(text(statement(definition.name, scope, dialect)), parameters(scope)).all()
        for row in rows:
            found.setdefault(str(row[0] or ""), {})[definition.name] = _figure(definition, row[1:])
    groups = tuple(_group(name, found[name]) for name in sorted(found)) or (_group("", {}),)
    return Measured(scope=scope, groups=groups, sql={d.name: written_out(d.name, scope) for d in DEFINITIONS})


def _group(name: str, figures: Mapping[str, Figure]) -> Group:
    nothing: Callable[[Definition], Figure] = lambda d: _figure(d, (0, 0))  # noqa: E731
    return Group(name=name, figures=tuple(figures.get(d.name) or nothing(d) for d in DEFINITIONS))


def _figure(definition: Definition, cells: Sequence[Any]) -> Figure:
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
    return Figure(
        name=definition.name,
        title=definition.title,
        unit=definition.unit,
        value=value,
        of=of,
        hits=hits,
        interval=interval,
    )
