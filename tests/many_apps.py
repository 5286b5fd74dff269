"""Hundreds of apps are started in one process here: what they all do alike is done once.

Rules of a style sheet are parsed once for the same text and the same theme. An app collects garbage after its start,
so that no collection falls into somebody's typing; here nobody types, and it would look at all earlier apps each time.
The cursor of a text does not blink: whether a picture shows it would depend on how busy the machine is.
"""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.widgets import Input, TextArea

_parse = Stylesheet._parse_rules
_parsed: dict[tuple[object, ...], list[RuleSet]] = {}


def _parse_once(self, css, read_from, is_default_rules=False, tie_breaker=0, scope=""):
    key = (css, read_from, is_default_rules, tie_breaker, scope, frozenset(self._variables.items()))
    if key not in _parsed:
        _parsed[key] = _parse(self, css, read_from, is_default_rules, tie_breaker, scope)
    return _parsed[key]


@pytest.fixture(autouse=True, scope="session")
def _many_apps() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", _parse_once)
        patch.setattr("obra_tui.ui.app.gc", SimpleNamespace(collect=lambda: 0, freeze=lambda: None))
        for widget in (Input, TextArea):
            patch.setattr(widget.cursor_blink, "_default", False)
        yield
