"""What a scenario promises: the `[expect]` table as a value.

Knows nothing of how a run is made. A misspelt key is an error: an expectation
that nobody checks is worse than none.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from obra_tui.core.lifecycle import State
from obra_tui.rehearsal import Scenario, ScenarioError

_OF_THE_STORY = {"commands", "asks", "empty", "touches_tests", "average_age"}
"""What only the scenario's own test looks at."""


class Expectation(Struct, frozen=True, kw_only=True):
    """Lists are in the order of the plan. Empty or None = nothing is promised."""

    ends: tuple[State, ...]
    """State in which each task must end."""
    accepted: int | None = None
    attempts: tuple[int, ...] = ()
    """Judged attempts of each task; with scripted models only."""
    quality: tuple[tuple[str, ...], ...] = ()
    """PASS or FAIL of every judged attempt; with scripted models only."""
    first_failure: str = ""
    """What the first feedback to Claude must name; with scripted models only."""
    finding_kinds: tuple[str, ...] = ()
    """What the judge must have found in the first attempt; with scripted models only."""
    reasons: tuple[str, ...] = ()
    """Words among the reasons of the gates; with scripted models only."""
    denied: tuple[str, ...] = ()
    """Commands that were asked for and denied because nobody was there; with scripted models only."""
    files: tuple[str, ...] = ()
    """Files that accepted work changes, no more and no fewer; with scripted models only."""
    judge_parts: int = 0
    """At least so many prompts to the judge in one attempt; with scripted models only."""
    max_attempts: int | None = None
    """Judged attempts of all tasks together."""
    max_seconds: float | None = None
    average_seconds: float | None = None
    """Mean over the tasks."""


def is_acceptance(scenario: Scenario) -> bool:
    """Return whether a scenario says how its tasks must end, so that it can be validated."""
    return "ends" in scenario.expect


def expectation_of(scenario: Scenario) -> Expectation:
    """Read the promises of a scenario. Raises `ScenarioError`."""
    given = {key: value for key, value in scenario.expect.items() if key not in _OF_THE_STORY}
    if unknown := sorted(set(given) - set(Expectation.__struct_fields__)):
        raise _error(scenario, f"there is no expectation {', '.join(unknown)}")
    if "ends" not in given:
        raise _error(scenario, "[expect] needs `ends`: the state in which each task must end")
    try:
        ends = tuple(State(word) for word in given.pop("ends"))
        return Expectation(ends=ends, **{key: _frozen(value) for key, value in given.items()})
    except (TypeError, ValueError) as error:
        raise _error(scenario, str(error)) from error


def _error(scenario: Scenario, what: str) -> ScenarioError:
    fix = "See the guide on writing scenarios for what [expect] can hold."
    return ScenarioError(f"The expectations of scenario {scenario.name!r} cannot be read: {what}.", fix=fix)


def _frozen(value: Any) -> Any:
    match value:
        case list():
            return tuple(_frozen(item) for item in value)
        case Mapping():
            raise TypeError("a table is no expectation")
        case _:
            return value
