"""Sessions and attempts as files: Markdown, self-contained HTML, patch, and decisions as a labelled set.

Pure: values in, text out. Text of others is made safe for where it goes:
fenced in Markdown, escaped in HTML, which holds no script and loads nothing.
"""

import json
import re
import time
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from msgspec import Struct

from obra_tui.core import events as e
from obra_tui.core.decisions import decision_lines, finding_text
from obra_tui.core.model import Finding, SessionKind
from obra_tui.core.records.history import AttemptDetail, SessionDetail
from obra_tui.core.text import one_line, visible


class ExportedAttempt(Struct, frozen=True, kw_only=True):
    """An attempt with what was said and done in it."""

    detail: AttemptDetail
    records: Sequence[e.Record] = ()
    """Without the streamed ones."""


class Block(Struct, frozen=True, kw_only=True):
    """A piece of an export: a heading, a sentence, a list, or text of others, which is never interpreted."""

    kind: str
    """`h1`…`h3`, `p`, `list`, `code`, `diff`, `table`."""
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


# --- what is told --------------------------------------------------------------------------------


def blocks(session: SessionDetail, attempts: Sequence[ExportedAttempt]) -> Iterator[Block]:
    """Return the story of a session, top down."""
    summary = session.summary
    yield Block(kind="h1", text=summary.title or summary.id)
    if summary.rehearsal:
        yield Block(kind="p", text=f"REHEARSAL {summary.rehearsal}: no real model took part.")
    if summary.kind is SessionKind.IMPORTED:
        yield Block(kind="p", text="Imported: nothing was checked, judged or gated. No gate.")
    yield Block(kind="table", rows=tuple(_facts(session)))
    yield Block(kind="h2", text="Tasks")
    rows = [
        (t.key, t.title, "reverted" if t.reverted else t.state.value, _score(t.score), str(t.attempts), t.commit[:12])
        for t in session.tasks
    ]
    yield Block(kind="table", rows=(("task", "title", "state", "score", "attempts", "commit"), *rows))
    for told in attempts:
        yield from _attempt(told)


def _facts(session: SessionDetail) -> Iterator[tuple[str, ...]]:
    summary = session.summary
    yield ("", "")
    yield ("session", summary.id)
    yield ("kind", summary.kind.value)
    yield ("project", summary.project)
    yield ("branch", session.branch)
    yield ("base", session.base_commit)
    yield ("policy", f"{summary.policy.value}, threshold {session.threshold:.2f}")
    yield ("opened", _time(summary.opened_at))
    yield ("closed", _time(summary.closed_at) if summary.closed_at else "still open")
    yield ("cost", f"{summary.usage.cost_shown(4)}, {summary.usage.total_tokens:,} tokens")


def _attempt(told: ExportedAttempt) -> Iterator[Block]:
    detail = told.detail
    it = detail.summary
    yield Block(kind="h2", text=f"{it.task_key} {it.task_title}, attempt {it.number}")
    quality = detail.quality.line if detail.quality else "no gate" if it.score is None else _score(it.score)
    outcome = it.outcome.value if it.outcome else "not ended"
    yield Block(
        kind="p", text=f"{quality} · Claude Code: {outcome} · {it.usage.cost_shown(4)} · {_time(it.started_at)}"
    )
    if detail.decision:
        decision = detail.decision.decision
        yield Block(kind="p", text=f"Decision: {decision.kind.value} by {decision.by}")
        yield Block(kind="list", rows=tuple((f"{label}: {text}",) for label, text in decision_lines(decision)))
    if detail.reverted:
        undone = detail.reverted
        yield Block(kind="p", text=f"Reverted as {undone.reversal.commit} by {undone.by}: {undone.note}")
    yield from _evidence(detail)
    yield Block(kind="h3", text="Transcript")
    for record in told.records:
        yield from transcript_blocks(record.event)
    if detail.diff and detail.diff.patch:
        yield Block(kind="h3", text="Diff")
        yield Block(kind="diff", text=detail.diff.patch)


def _evidence(detail: AttemptDetail) -> Iterator[Block]:
    if detail.quality:
        rows = [(s.stage.value, _score(s.score), f"{s.weight:.2f}") for s in detail.quality.stage_scores]
        yield Block(kind="table", rows=(("stage", "score", "weight"), *rows))
        yield Block(kind="list", rows=tuple((_finding(f),) for f in detail.quality.findings))
        yield Block(kind="list", rows=tuple((obstacle,) for obstacle in detail.quality.obstacles))
    for check in detail.checks:
        yield Block(kind="h3", text=f"Check {check.spec.name}: {check.status.value} (exit {check.exit_code})")
        yield Block(kind="code", text=f"$ {check.spec.run}\n{check.output}")


def _finding(finding: Finding) -> str:
    return " ".join(part for part in (f"[{finding.severity.value}]", finding.place, finding.message) if part)


def transcript_blocks(event: e.Event) -> Iterator[Block]:
    match event:
        case e.PromptSent(text=text, kind=kind, by=by):
            yield Block(kind="p", text=f"Prompt ({kind}, by {by})")
            yield Block(kind="code", text=text)
        case e.TextFinished(text=text):
            yield Block(kind="p", text="Claude")
            yield Block(kind="code", text=text)
        case e.ToolStarted(tool=tool, title=title, input_json=given):
            yield Block(kind="p", text=f"Tool {tool}: {title}")
            yield Block(kind="code", text=given)
        case e.ToolFinished(output=output, is_error=failed):
            yield Block(kind="code", text=f"{'error: ' if failed else ''}{output}")
        case e.ProblemRaised(text=text):
            yield Block(kind="p", text=f"Problem: {text}")
        case _:
            return


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


# --- Markdown ------------------------------------------------------------------------------------

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~])")


def markdown(told: Iterator[Block]) -> str:
    return "\n".join(filter(None, map(_markdown, told))) + "\n"


def _markdown(block: Block) -> str:
    match block.kind:
        case "h1" | "h2" | "h3":
            return f"{'#' * int(block.kind[1])} {plain_markdown(block.text)}\n"
        case "p":
            return f"{plain_markdown(block.text)}\n"
        case "list":
            return "".join(f"- {plain_markdown(row[0])}\n" for row in block.rows)
        case "table":
            return _markdown_table(block.rows)
        case kind:
            return _fenced(block.text, "diff" if kind == "diff" else "")


def plain_markdown(text: str) -> str:
    """Return foreign words on one line that Markdown takes for words."""
    return _MARKUP.sub(r"\\\1", one_line(text, 2_000))


def _markdown_table(rows: Sequence[Sequence[str]]) -> str:
    head, *rest = (" | ".join(map(plain_markdown, row)) for row in rows)
    line = " | ".join("---" for _ in rows[0])
    return "\n".join([f"| {head} |", f"| {line} |", *(f"| {row} |" for row in rest)]) + "\n"


def _fenced(text: str, language: str) -> str:
    """A fence that is longer than any in the text, so that the text cannot end it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{visible(text)}\n{fence}\n"


# --- HTML ----------------------------------------------------------------------------------------

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
pre{background:#f5f5f5;padding:.6rem;overflow-x:auto;font:13px/1.4 ui-monospace,monospace;white-space:pre-wrap}
table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.2rem .6rem;text-align:left}
.add{background:#e6f4ff}.del{background:#fff0e0}.hunk{color:#666}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}pre{background:#222}
.add{background:#123450}.del{background:#4a2c10}td,th{border-color:#444}}
"""


def html(told: Iterator[Block], title: str) -> str:
    """Return one page that needs nothing else, runs nothing and loads nothing."""
    body = "\n".join(filter(None, map(_html, told)))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{_escaped(one_line(title))}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _escaped(text: str) -> str:
    return escape(visible(text), quote=True)


def _html(block: Block) -> str:
    match block.kind:
        case "list":
            return f"<ul>{''.join(f'<li>{_escaped(row[0])}</li>' for row in block.rows)}</ul>" if block.rows else ""
        case "table":
            return f"<table>{''.join(map(_html_row, block.rows))}</table>"
        case "code":
            return f"<pre>{_escaped(block.text)}</pre>"
        case "diff":
            lines = "\n".join(map(_html_diff_line, block.text.splitlines()))
            return f"<pre>{lines}</pre>"
        case tag:
            return f"<{tag}>{_escaped(block.text)}</{tag}>"


def _html_row(row: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<td>{_escaped(cell)}</td>' for cell in row)}</tr>" if any(row) else ""


def _html_diff_line(line: str) -> str:
    kind = {"+": "add", "-": "del", "@": "hunk"}.get(line[:1])
    return f'<span class="{kind}">{_escaped(line)}</span>' if kind else _escaped(line)


# --- patch, decisions, preferences ---------------------------------------------------------------


def patch(attempts: Sequence[ExportedAttempt]) -> str:
    """Return the last diff of every task, one after another: `git apply` takes it."""
    last = {told.detail.summary.task: told.detail.diff for told in attempts if told.detail.diff}
    return "".join(diff.patch if diff.patch.endswith("\n") else f"{diff.patch}\n" for diff in last.values() if diff)


def labelled(detail: AttemptDetail) -> dict[str, Any] | None:
    """Return one line of the labelled set: what the judge said and what was decided; None without a decision."""
    if detail.decision is None:
        return None
    decision, verdict = detail.decision.decision, detail.verdict
    return {
        "attempt": detail.summary.id,
        "task": detail.spec.title,
        "prompt": detail.spec.prompt,
        "acceptance": list(detail.spec.acceptance),
        "patch": detail.diff.patch if detail.diff else "",
        "checks": [{"name": c.spec.name, "status": c.status.value} for c in detail.checks],
        "judge": None
        if verdict is None
        else {
            "model": verdict.identity.model,
            "rubric": verdict.identity.rubric,
            "rubric_hash": verdict.identity.rubric_hash,
            "unjudged": verdict.unjudged,
            "opinion": verdict.opinion,
            "scores": {item.criterion: item.score for item in verdict.scores},
            "findings": [_finding(finding) for finding in verdict.findings],
        },
        "score": detail.summary.score,
        "passes": detail.summary.passes,
        "label": decision.kind.value,
        "by": decision.by,
        "note": decision.note,
        "override": decision.override,
        "overridden": list(decision.overridden),
        "sent": [finding_text(finding) for finding in decision.chosen],
        "own_score": decision.own_score,
    }


def preferred(ids: tuple[str, str], sides: tuple[AttemptDetail | None, AttemptDetail | None]) -> dict[str, Any]:
    """Return what a preference was between; a side that is no attempt, or no longer kept, is its id alone."""
    known = next((side for side in sides if side is not None), None)
    asked = {"task": known.spec.title, "prompt": known.spec.prompt} if known else {}
    return {**asked, "a": _compared(ids[0], sides[0]), "b": _compared(ids[1], sides[1])}


def _compared(which: str, detail: AttemptDetail | None) -> dict[str, Any]:
    if detail is None:
        return {"id": which}
    it = detail.summary
    patch_text = detail.diff.patch if detail.diff else ""
    return {"id": which, "model": it.claude_model, "score": it.score, "passes": it.passes, "patch": patch_text}


def json_line(value: object) -> str:
    """Return one line of JSON that no terminal or reader trips over."""
    return json.dumps(value, ensure_ascii=True, default=str)
