"""Settings that a command line gives, without the parser that reads it."""

from collections.abc import Mapping

from msgspec import Struct

from obra_tui.core.model import Policy


class Flags(Struct, frozen=True, kw_only=True):
    """Settings given on the command line."""

    policy: Policy | None = None
    threshold: float | None = None
    max_attempts: int | None = None
    model: str | None = None
    judge_model: str | None = None
    update_plan: bool = False

    def settings(self) -> Mapping[str, object]:
        """Return dotted setting names with their values; None = not given."""
        return {
            "gate.policy": self.policy.value if self.policy else None,
            "gate.threshold": self.threshold,
            "gate.max_attempts": self.max_attempts,
            "claude.model": self.model,
            "judge.model": self.judge_model,
            "workspace.update_plan": True if self.update_plan else None,
        }
