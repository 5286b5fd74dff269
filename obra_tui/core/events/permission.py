"""What Claude Code asks a person, and what is allowed for the rest of a session."""

from dataclasses import dataclass
from typing import Literal

from obra_tui.core.ids import QuestionId, RuleId
from obra_tui.core.model import PermissionAnswer, PermissionQuestion

# --- permission -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionAsked:
    """Claude Code stands still until `PermissionAnswered` with the same question id."""

    question: PermissionQuestion
    type: Literal["permission_asked"] = "permission_asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionAnswered:
    """A question was answered, by a person, by a rule, or because nobody was there."""

    question_id: QuestionId
    title: str
    answer: PermissionAnswer
    type: Literal["permission_answered"] = "permission_answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAllowed:
    """A person allowed this for the rest of the session; it holds until `RuleRevoked` or the session's end."""

    rule: RuleId
    pattern: str
    """Such as `Bash(pytest:*)`."""
    by: str
    title: str
    """What was asked when it was allowed."""
    type: Literal["rule_allowed"] = "rule_allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleUsed:
    """A call was not asked about because of a rule of the session."""

    rule: RuleId
    title: str
    type: Literal["rule_used"] = "rule_used"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRevoked:
    """A person took a rule of the session back; what it allowed is asked again from the next call on."""

    rule: RuleId
    by: str
    type: Literal["rule_revoked"] = "rule_revoked"
