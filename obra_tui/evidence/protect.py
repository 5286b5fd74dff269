"""Which paths a machine may not change on its own: existing tests, what configures the referee, and what acts.

Pure; what acts at the person's machine is listed in `core.acting_paths`. A rule names a pattern and the reason that
people read. New test files are welcome; changing those that were there before is what needs a person.
"""

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from obra_tui.core.acting_paths import acts_by

EXISTING_TEST = "existing test"
TEST_CONFIG = "test configuration"
CONFIGURED = "protected by the settings"

_OBRA_SECTION = re.compile(r"(?m)^\s{0,8}\[{1,2}(?:gate|judge|claude|workspace|checks|obra)\b")


class Rule(Struct, frozen=True, kw_only=True):
    """A glob over the path (`*` crosses folders). `new_too`: a file that was not there before counts as well."""

    pattern: str
    reason: str
    new_too: bool = True


def _rules(reason: str, patterns: str, *, new_too: bool = True) -> tuple[Rule, ...]:
    return tuple(Rule(pattern=pattern, reason=reason, new_too=new_too) for pattern in patterns.split())


DEFAULT_RULES = (
    *_rules(TEST_CONFIG, "conftest.py */conftest.py pytest.ini */pytest.ini .pytest.ini tox.ini setup.cfg noxfile.py"),
    *_rules(TEST_CONFIG, "jest.config.* */jest.config.* vitest.config.* */vitest.config.* .coveragerc"),
    *_rules(
        EXISTING_TEST, "test/* tests/* */test/* */tests/* __tests__/* */__tests__/* spec/* */spec/*", new_too=False
    ),
    *_rules(EXISTING_TEST, "test_*.py */test_*.py *_test.* *.test.* *.spec.*", new_too=False),
)


def rules_with(patterns: Sequence[str]) -> tuple[Rule, ...]:
    """Return the default rules, changed by settings: a pattern adds a rule, `!pattern` lifts protection.

    The first rule that matches counts, so that what the settings say goes first.
    """
    own = tuple(
        Rule(pattern=pattern.removeprefix("!"), reason="" if pattern.startswith("!") else CONFIGURED)
        for pattern in patterns
    )
    return (*own, *DEFAULT_RULES)


def _matching(rules: Sequence[Rule], path: str) -> Rule | None:
    folded = path.casefold()
    return next((rule for rule in rules if fnmatchcase(folded, rule.pattern.casefold())), None)


def is_test(path: str) -> bool:
    rule = _matching(DEFAULT_RULES, path)
    return rule is not None and rule.reason == EXISTING_TEST


def has_tests(paths: Iterable[str]) -> bool:
    return any(is_test(path) for path in paths)


def reason_for(rules: Sequence[Rule], path: str, *, existed: bool, tests_existed: bool) -> str:
    """Return why the path is protected, or an empty string.

    A new test configuration is only suspicious where tests existed that it could switch off.
    """
    rule = _matching(rules, path)
    if (rule is None or rule in DEFAULT_RULES) and (acts := acts_by(path)):
        return acts
    if rule is None:
        return ""
    if rule.reason == TEST_CONFIG and not existed and not tests_existed:
        return ""
    return rule.reason if existed or rule.new_too else ""


def configures_obra(text: str | None) -> bool:
    """Tell whether a `config.toml` is one of Obra's: it has a section that Obra reads."""
    return bool(text and _OBRA_SECTION.search(text))
