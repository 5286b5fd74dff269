"""What people are told ends with one full stop: texts that quote others bring two of them, or none."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from obra_tui.core import errors
from obra_tui.core.gate import GateRules, assess, decide
from obra_tui.core.model import CheckStatus, Policy, Severity
from obra_tui.core.text import sentence
from tests.core.build import change, check, diff, evidence, finding, no_diff, syntax, unjudged, verdict

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parents[2] / "obra_tui"
QUOTED = [
    "no stop",
    "one stop.",
    "two stops..",
    "an ellipsis…",
    "three dots...",
    "sure?",
    "no!",
    "no!.",
    "a `word`",
    "(so.)",
]


@pytest.mark.parametrize("text", QUOTED)
def test_a_sentence_ends_with_one_mark(text):
    assert not sentence(text).endswith(("..", "?.", "!.", "….")) or sentence(text).endswith("...")
    assert sentence(text)[-1] in ".!?…"
    assert sentence(sentence(text)) == sentence(text)


@given(st.text(max_size=30))
def test_nothing_but_the_end_of_a_text_is_changed(text):
    bare = text.rstrip(". \n")
    assert sentence(text).startswith(bare)
    assert sentence(text).removeprefix(bare) in ("", ".", "...")


@pytest.mark.parametrize("quoted", QUOTED)
def test_an_error_that_quotes_others_ends_with_one_mark(quoted):
    told = str(errors.ConfigError(f"It said: {quoted}", where="here", fix="Mend it.."))
    assert told == f"here: It said: {sentence(quoted)} Mend it."


def test_a_stop_behind_a_quoted_one_is_one_too_many():
    assert errors.PlanError("It said: one stop..").what == "It said: one stop."


EVIDENCE = {
    "empty": lambda words: evidence(work=no_diff()),
    "failed": lambda words: evidence(checks=(syntax(), replace(check(status=CheckStatus.BROKEN), detail=words))),
    "asks": lambda words: evidence(checks=(syntax(), replace(check(), asks=(words,)))),
    "unjudged": lambda words: evidence(judged=unjudged(words)),
    "found": lambda words: evidence(judged=verdict(0.3, finding(words, Severity.MAJOR))),
    "protected": lambda words: evidence(work=diff(change(protected=words))),
    "not whole": lambda words: evidence(work=diff(change(), truncated=True, notes=(words,))),
}


@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize("words", QUOTED)
@pytest.mark.parametrize("kind", EVIDENCE)
def test_every_reason_of_a_gate_ends_with_one_mark(kind, words, policy):
    seen = EVIDENCE[kind](words)
    rules = GateRules(policy=policy)
    quality = assess(seen, rules)
    for reason in (*quality.obstacles, *decide(quality, seen, rules, counted=1).reasons):
        assert reason == sentence(reason)


def names_of_errors():
    found = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.ObraError)
    ]
    return {kind.__name__ for kind in found} | {"NotReachable", "ServerRefused", "DeadlinePassed", "ScenarioError"}


def literal(node):
    """Return a text as it is written, what is filled in as `{}`; None when it is made elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def test_what_to_do_next_is_a_sentence_or_ends_with_what_can_be_typed():
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(node, "func", None), "id", "")
            if not isinstance(node, ast.Call) or name not in names_of_errors():
                continue
            fix = next((literal(word.value) for word in node.keywords if word.arg == "fix"), None)
            ends = fix and fix.endswith((".", "!", "?", "{}"))
            if fix and ((not ends and ": " not in fix) or fix.endswith("..")):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {fix}")
    assert wrong == []
