"""What Claude Code asks a person, and what is allowed for the rest of a session."""

from typing import Literal

from msgspec import Struct

from obra_tui.core.ids import QuestionId, RuleId
from obra_tui.core.model import PermissionAnswer, PermissionQuestion

# --- permission -----------------------------------------------------------------------------------


class PermissionAsked(Struct, frozen=True, kw_only=True):
    """Claude Code stands still until `PermissionAnswered` with the same question id."""

    question: PermissionQuestion
    type: Literal["permission_asked"] = "permission_asked"


class PermissionAnswered(Struct, frozen=True, kw_only=True):
    """A question was answered, by a person, by a rule, or because nobody was there."""

    question_id: QuestionId
    title: str
    answer: PermissionAnswer
    type: Literal["permission_answered"] = "permission_answered"


class RuleAllowed(Struct, frozen=True, kw_only=True):
    """A person allowed this for the rest of the session; it holds until `RuleRevoked` or the session's end."""

    rule: RuleId
    pattern: str
    """Such as `Bash(pytest:*)`."""
    by: str
    title: str
    """What was asked when it was allowed."""
    type: Literal["rule_allowed"] = "rule_allowed"


class RuleUsed(Struct, frozen=True, kw_only=True):
    """A call was not asked about because of a rule of the session."""

    rule: RuleId
    title: str
    type: Literal["rule_used"] = "rule_used"


class RuleRevoked(Struct, frozen=True, kw_only=True):
    """A person took a rule of the session back; what it allowed is asked again from the next call on."""

    rule: RuleId
    by: str
    type: Literal["rule_revoked"] = "rule_revoked"
