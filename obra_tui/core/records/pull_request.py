"""The text of a pull request: what was asked, measured, judged and decided, for each task of a session. Pure."""

import re
from collections.abc import Iterator, Sequence

from obra_tui.core.decisions import finding_text
from obra_tui.core.forge import CommitStatus
from obra_tui.core.gate import comparison_words, describe_check
from obra_tui.core.lifecycle import State
from obra_tui.core.records.attempt_words import DECISION_WORDS, person_name
from obra_tui.core.records.export import plain_markdown
from obra_tui.core.records.history import AttemptDetail, SessionDetail
from obra_tui.core.text import one_line

CONTEXT = "obra/gate"
_MOST_BODY = 60_000
_MOST_FINDINGS = 20
_MOST_TITLE = 200
_ISSUE = re.compile(r"https://[^\s]+/issues/(\d+)\Z")


def title_of(session: SessionDetail) -> str:
    done = [task for task in session.tasks if task.state is State.ACCEPTED and not task.reverted]
    title = session.summary.title or (done[0].title if done else session.summary.id)
    return one_line(title, _MOST_TITLE)


def body_of(session: SessionDetail, accepted: Sequence[AttemptDetail], link: str = "") -> str:
    """Return the body; `accepted` are the attempts whose work is on the branch. Mentions and markup are defused."""
    text = "\n".join(_lines(session, accepted, link))
    return text if len(text) <= _MOST_BODY else f"{text[:_MOST_BODY]}\n\n… (cut)\n"


def _lines(session: SessionDetail, accepted: Sequence[AttemptDetail], link: str) -> Iterator[str]:
    summary = session.summary
    if summary.rehearsal:
        yield f"**REHEARSAL {_plain(summary.rehearsal)}: no real model took part.**\n"
    yield f"{len(accepted)} of {summary.tasks} tasks, made by Claude Code, checked and judged by Obra."
    yield f"Cost: {summary.usage.cost_shown()} ({summary.usage.total_tokens:,} tokens)."
    if link:
        yield f"Evidence: {link}"
    yield ""
    for attempt in accepted:
        yield from _task(attempt)
    left = [task for task in session.tasks if task.state is not State.ACCEPTED or task.reverted]
    if left:
        yield "## Not in it\n"
        yield from (
            f"- {_plain(task.key)} {_plain(task.title)}: {'reverted' if task.reverted else task.state.value}"
            for task in left
        )


def _task(attempt: AttemptDetail) -> Iterator[str]:
    yield f"## {_plain(attempt.spec.key)} {_plain(attempt.spec.title)}\n"
    found = _ISSUE.fullmatch(attempt.spec.source)
    if found:
        yield f"Closes #{found[1]}\n"
    yield from (f"- [x] {_plain(line)}" for line in attempt.spec.acceptance)
    yield f"\n| evidence | |\n| --- | --- |\n| score | {_score(attempt)} |"
    for check in attempt.checks:
        told = comparison_words(check)
        yield f"| check | {_plain(describe_check(check))}{f' ({_plain(told)})' if told else ''} |"
    yield f"| judge | {_judge(attempt)} |"
    if attempt.record:
        yield f"| its record | {_plain(attempt.record)} |"
    yield f"| decided | {_decided(attempt)} |"
    yield f"| attempt | {attempt.summary.number}, {attempt.summary.usage.cost_shown(4)} |\n"
    decision = attempt.decision.decision if attempt.decision else None
    if decision and decision.overridden:
        yield f"Approved although, because: {_plain(decision.note)}\n"
        yield from (f"- {_plain(line)}" for line in decision.overridden)
        yield ""
    findings = attempt.quality.findings[:_MOST_FINDINGS] if attempt.quality else ()
    if findings:
        yield "<details><summary>Findings</summary>\n"
        yield from (f"- {_plain(finding_text(item))}" for item in findings)
        yield "\n</details>\n"


def _score(attempt: AttemptDetail) -> str:
    return _plain(attempt.quality.line) if attempt.quality else "none"


def _judge(attempt: AttemptDetail) -> str:
    verdict = attempt.verdict
    if verdict is None or not verdict.complete:
        return f"no verdict: {_plain(verdict.unjudged)}" if verdict else "not asked"
    return f"{_plain(verdict.identity.model)}: {_plain(verdict.opinion) or 'no opinion'}"


def _decided(attempt: AttemptDetail) -> str:
    if attempt.decision is None:
        return "–"
    decision = attempt.decision.decision
    device = f" on {_plain(decision.device)}" if decision.device else ""
    return f"{DECISION_WORDS[decision.kind]} by {_plain(person_name(decision.by))}{device}"


def _plain(text: str) -> str:
    """Foreign words as words: no markup, no mention that calls somebody, no `#1` that links or closes an issue."""
    return re.sub(r"([@#!])(?=\w)", "\\1\u2060", plain_markdown(text)).replace("\u2060", "&#8288;")


def status_of(session: SessionDetail, link: str = "") -> CommitStatus:
    """Return what the session says of its branch."""
    states = [State.CANCELLED if task.reverted else task.state for task in session.tasks]
    accepted = states.count(State.ACCEPTED)
    said = f"{accepted} of {len(states)} tasks accepted"
    if accepted == len(states):
        return CommitStatus(state="success", context=CONTEXT, said=said, url=link)
    over = all(state.value in ("accepted", "rejected", "failed", "cancelled") for state in states)
    return CommitStatus(state="failure" if over else "pending", context=CONTEXT, said=said, url=link)
