"""Templates, and what they are filled with. All text is escaped, and what could hide in it is made visible."""

import time
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from obra_tui.core.gate import comparison_words, describe_check
from obra_tui.core.records.attempt_words import DECISION_WORDS, STATE_WORDS, ended_word, person_name
from obra_tui.web.text import clean

FOLDER = Path(__file__).parent


def _finalize(value: Any) -> Any:
    """Control, bidirectional and zero-width characters of foreign text are seen and do nothing."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _when(at: float | None) -> str:
    return "" if at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "when": _when,
        "score": _score,
        "person": person_name,
        "check": describe_check,
        "comparison": comparison_words,
        "state": lambda state: STATE_WORDS[state],
        "decided": lambda kind: DECISION_WORDS[kind],
        "ended": ended_word,
    }
    return made


class Pages:
    """Makes answers of templates."""

    def __init__(self) -> None:
        self._environment = environment()

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self._environment.get_template(template).render(**values), status_code=status)
