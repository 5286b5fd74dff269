"""The rubric as a value: criteria, the JSON schema of an answer, the hash that verdicts carry."""

import hashlib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct

from obra_tui.core.model import JUDGED_STAGES, Severity, Stage

OPINIONS = ("approve", "revise", "reject")
INJECTION = "injection"


class Criterion(Struct, frozen=True, kw_only=True):
    id: str
    stage: Stage
    weight: float
    description: str
    anchors: tuple[tuple[int, str], ...]

    @property
    def text(self) -> str:
        scale = "; ".join(f"{score} = {meaning}" for score, meaning in self.anchors)
        return f"- `{self.id}` ({self.stage}): {self.description} {scale}."


class Rubric(Struct, frozen=True, kw_only=True):
    name: str
    version: int
    hash: str
    criteria: tuple[Criterion, ...]
    kinds: tuple[str, ...]
    max_findings: int

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(criterion.id for criterion in self.criteria)


def _criterion(raw: Mapping[str, Any]) -> Criterion:
    stage = Stage(raw["stage"])
    if stage not in JUDGED_STAGES:
        raise ValueError(f"criterion {raw['id']}: {stage} is measured, not judged")
    return Criterion(
        id=raw["id"],
        stage=stage,
        weight=float(raw["weight"]),
        description=raw["description"],
        anchors=tuple((int(score), meaning) for score, meaning in raw["anchors"].items()),
    )


def parse_rubric(text: str) -> Rubric:
    raw = tomllib.loads(text)
    return Rubric(
        name=raw["name"],
        version=raw["version"],
        hash=hashlib.sha256(text.encode()).hexdigest(),
        criteria=tuple(_criterion(item) for item in raw["criteria"]),
        kinds=tuple(raw["kinds"]),
        max_findings=raw["max_findings"],
    )


@cache
def load_rubric() -> Rubric:
    return parse_rubric(files(__package__).joinpath("rubric.toml").read_text(encoding="utf-8"))


def _closed(properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def answer_schema(rubric: Rubric) -> dict[str, object]:
    """Return the schema of an answer: findings first and the verdict last, because a model writes left to right."""
    finding = _closed(
        {
            "file": {"type": "string"},
            "line": {"type": ["integer", "null"]},
            "severity": {"type": "string", "enum": [item.value for item in Severity]},
            "kind": {"type": "string", "enum": list(rubric.kinds)},
            "message": {"type": "string"},
            "suggestion": {"type": "string"},
        }
    )
    score = {"type": "integer", "minimum": 0, "maximum": 100}
    return _closed(
        {
            "findings": {"type": "array", "items": finding, "maxItems": rubric.max_findings},
            "scores": _closed({criterion.id: score for criterion in rubric.criteria}),
            "summary": {"type": "string"},
            "verdict": {"type": "string", "enum": list(OPINIONS)},
        }
    )
