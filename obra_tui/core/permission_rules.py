"""What a person allowed Claude for the length of a session, and which questions wait for an answer. Pure.

The engine, the screen and the command line read the same records by the same rules.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core.events import (
    ClaudeEnded,
    PermissionAnswered,
    PermissionAsked,
    Record,
    RuleAllowed,
    RuleRevoked,
    RuleUsed,
    SessionClosed,
)
from obra_tui.core.ids import AttemptId, QuestionId, RuleId, SessionId, TaskId
from obra_tui.core.model import PermissionQuestion

UNATTENDED = "unattended"
"""Who answers when nobody is there."""


class SessionRule(Struct, frozen=True, kw_only=True):
    """One rule, as long as anybody may ask about it; it holds until it is revoked."""

    id: RuleId
    session: SessionId
    pattern: str
    by: str
    since: float
    title: str
    """What was asked when the rule was made."""
    used: int = 0
    used_at: float | None = None
    used_for: str = ""
    """The call that it allowed last."""
    revoked_by: str = ""

    @property
    def holds(self) -> bool:
        return not self.revoked_by


Rules = Mapping[RuleId, SessionRule]


def apply_to_rules(rules: Rules, record: Record) -> Rules:
    """Return the rules of a session after one more record of it."""
    match record.event:
        case RuleAllowed(rule=rule) as allowed:
            return {**rules, rule: _made(record, allowed)}
        case RuleUsed(rule=rule, title=title) if rule in rules:
            known = rules[rule]
            return {**rules, rule: replace(known, used=known.used + 1, used_at=record.at, used_for=title)}
        case RuleRevoked(rule=rule, by=by) if rule in rules:
            return {**rules, rule: replace(rules[rule], revoked_by=by)}
        case SessionClosed():
            return {key: item for key, item in rules.items() if item.session != record.session}
        case _:
            return rules


def _made(record: Record, event: RuleAllowed) -> SessionRule:
    return SessionRule(
        id=event.rule, session=record.session, pattern=event.pattern, by=event.by, since=record.at, title=event.title
    )


def active_rules(rules: Rules) -> tuple[SessionRule, ...]:
    """Return the rules that hold, oldest first."""
    return tuple(sorted((item for item in rules.values() if item.holds), key=lambda item: (item.since, item.id)))


class AskedPermission(Struct, frozen=True, kw_only=True):
    """A question of Claude's: one that waits, or one that was denied because nobody was there."""

    question: PermissionQuestion
    session: SessionId
    task: TaskId | None
    attempt: AttemptId | None
    at: float


class PermissionOverview(Struct, frozen=True, kw_only=True):
    """All that can be said about permissions from the records of sessions."""

    rules: Rules = field(default_factory=dict)
    waiting: Mapping[QuestionId, AskedPermission] = field(default_factory=dict)
    denied: tuple[AskedPermission, ...] = ()
    """Denied because nobody was there, oldest first."""


def permissions_of(records: Iterable[Record]) -> PermissionOverview:
    found = PermissionOverview()
    for record in records:
        found = with_record(found, record)
    return found


def with_record(found: PermissionOverview, record: Record) -> PermissionOverview:
    """Return what can be said after one more record."""
    return _asked_or_answered(replace(found, rules=apply_to_rules(found.rules, record)), record)


def _asked_or_answered(found: PermissionOverview, record: Record) -> PermissionOverview:
    match record.event:
        case PermissionAsked(question=question):
            asked = AskedPermission(
                question=question, session=record.session, task=record.task, attempt=record.attempt, at=record.at
            )
            return replace(found, waiting={**found.waiting, question.id: asked})
        case PermissionAnswered(question_id=answered, answer=answer):
            nobody = (found.waiting[answered],) if answer.by == UNATTENDED and answered in found.waiting else ()
            waiting = {key: item for key, item in found.waiting.items() if key != answered}
            return replace(found, waiting=waiting, denied=(*found.denied, *nobody))
        case ClaudeEnded():
            waiting = {key: item for key, item in found.waiting.items() if item.attempt != record.attempt}
            return replace(found, waiting=waiting)
        case _:
            return found
