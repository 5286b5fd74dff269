"""Pour a review into whatever JSON schema the request carries.

It exists because a grammar-bound model fills in the keys it is given; so does its stand-in. It must not
rely on one shape: names, order, enums, ranges and limits come from the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from obra_tui.rehearsal.reviewer import Review, ReviewRemark

DEFAULT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "findings": {"type": "array", "items": {"type": "object", "properties": {
            "file": {"type": "string"}, "line": {"type": "integer"}, "severity": {"type": "string"},
            "kind": {"type": "string"}, "message": {"type": "string"}, "suggestion": {"type": "string"},
        }}},
        "scores": {"type": "object", "properties": {
            "requirements": {"type": "integer", "minimum": 0, "maximum": 100},
            "quality": {"type": "integer", "minimum": 0, "maximum": 100},
        }},
        "verdict": {"enum": ["approve", "revise", "reject"]},
        "summary": {"type": "string"},
    },
}  # fmt: skip

_SYNONYMS = {
    "approve": ("approve", "accept", "pass", "ok", "good", "yes"),
    "revise": ("revise", "request_changes", "changes", "retry", "needs_work", "fix", "fail", "reject"),
    "reject": ("reject", "fail", "deny", "block", "revise", "request_changes", "no"),
    "blocker": ("blocker", "critical", "error", "high", "major"),
    "major": ("major", "high", "error", "warning", "medium"),
    "minor": ("minor", "low", "warning", "note", "info"),
    "info": ("info", "note", "low", "minor"),
    "requirement": ("requirement", "requirements", "completeness", "scope", "correctness"),
    "correctness": ("correctness", "bug", "logic", "functionality", "requirement"),
    "tests": ("tests", "test", "testing", "correctness"),
    "documentation": ("documentation", "docs", "style", "readability", "quality"),
    "robustness": ("robustness", "error_handling", "correctness", "quality", "style"),
    "security": ("security", "safety"),
    "injection": ("injection", "prompt_injection", "instruction", "security"),
    "style": ("style", "readability", "quality"),
}


def fill(schema: Mapping[str, Any] | None, told: Review) -> dict[str, Any]:
    """The review as an object of that schema; without one, of the shape that most prompts ask for."""
    root = schema if schema and (schema.get("properties") or "$ref" in schema) else DEFAULT
    pour = _Pour(root, told)
    return pour.object(pour.resolve(root), _of_review(told))


def _of_review(told: Review) -> Callable[[str], Any]:
    def named(key: str) -> Any:
        match key:
            case "findings" | "issues" | "problems" | "remarks" | "comments":
                return told.remarks
            case "verdict" | "decision" | "opinion" | "recommendation":
                return told.opinion
            case "summary" | "rationale" | "reason" | "explanation" | "assessment":
                return told.summary
            case "approved" | "passes" | "acceptable":
                return told.opinion == "approve"
            case "files" | "files_reviewed" | "reviewed_files" | "files_seen":
                return list(told.files)
            case "score" | "overall" | "overall_score":
                return told.score("work")
            case _:
                return None

    return named


def _of_remark(remark: ReviewRemark) -> Callable[[str], Any]:
    def named(key: str) -> Any:
        match key:
            case "file" | "path" | "filename":
                return remark.file
            case "line" | "line_number" | "start_line" | "end_line":
                return remark.line
            case "severity" | "level" | "priority":
                return remark.severity
            case "kind" | "category" | "type" | "criterion":
                return remark.kind
            case "message" | "description" | "title" | "problem" | "text":
                return remark.message
            case "suggestion" | "fix" | "recommendation" | "advice":
                return remark.suggestion
            case _:
                return None

    return named


class _Pour:
    def __init__(self, root: Mapping[str, Any], told: Review) -> None:
        self._root = root
        self._told = told

    def resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow `$ref`, and of several shapes take the first that is not null."""
        while True:
            if "$ref" in schema:
                target: Any = self._root
                for part in str(schema["$ref"]).removeprefix("#/").split("/"):
                    target = target[part]
                schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
            elif kinds := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
                schema = next((k for k in kinds if k.get("type") != "null"), kinds[0])
            else:
                return schema

    def object(self, schema: Mapping[str, Any], named: Callable[[str], Any]) -> dict[str, Any]:
        properties: Mapping[str, Any] = schema.get("properties", {})
        keys = [*properties, *(k for k in schema.get("required", []) if k not in properties)]
        return {key: self.value(key, properties.get(key, {}), named(key)) for key in keys}

    def value(self, key: str, schema: Mapping[str, Any], known: Any) -> Any:
        nullable = _allows_null(schema)
        schema = self.resolve(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return _choose(schema["enum"], known)
        kind = schema.get("type")
        kinds = kind if isinstance(kind, list) else [kind]
        if "array" in kinds:
            return self._array(schema, known)
        if "object" in kinds or "properties" in schema:
            return self._scores(key, schema)
        if "integer" in kinds or "number" in kinds:
            return None if known is None and nullable and key != "score" else self._number(key, schema, known)
        if "boolean" in kinds:
            return known if isinstance(known, bool) else False
        return self._string(schema, known)

    def _array(self, schema: Mapping[str, Any], known: Any) -> list[Any]:
        items = self.resolve(schema.get("items", {}))
        properties = items.get("properties", {})
        if isinstance(known, tuple):
            value = [self.object(items, _of_remark(r)) if properties else r.message for r in known]
        elif {"criterion", "score"} <= set(properties) or {"id", "score"} <= set(properties):
            value = self._score_list(properties)
        elif isinstance(known, list) and items.get("type") == "string":
            value = list(known)
        else:
            value = []
        return value[: schema.get("maxItems", len(value))]

    def _score_list(self, properties: Mapping[str, Any]) -> list[Any]:
        key = "criterion" if "criterion" in properties else "id"
        names = self.resolve(properties[key]).get("enum", ["requirements", "quality"])
        return [self.object({"properties": properties}, self._named_score(key, name)) for name in names]

    def _named_score(self, key: str, name: str) -> Callable[[str], Any]:
        told = {key: name, "score": self._told.score(name)}
        return told.get

    def _scores(self, key: str, schema: Mapping[str, Any]) -> dict[str, Any]:
        """An object inside: scores by criterion; an object a criterion is filled in the same way."""
        properties: Mapping[str, Any] = schema.get("properties", {})
        names = [*properties, *(k for k in schema.get("required", []) if k not in properties)]
        return {name: self._score(name, self.resolve(properties.get(name, {"type": "integer"}))) for name in names}

    def _score(self, name: str, schema: Mapping[str, Any]) -> Any:
        if "properties" in schema:
            told = {"score": self._told.score(name), "reason": self._told.summary}
            return self.object(schema, told.get)
        return self.value(name, schema, self._told.score(name))

    def _number(self, key: str, schema: Mapping[str, Any], known: Any) -> float:
        low, high = schema.get("minimum", 0), schema.get("maximum")
        if key in ("line", "line_number", "start_line", "end_line"):
            return max(int(known or 0), int(schema.get("minimum", 0)))
        value = float(known if isinstance(known, (int, float)) else low)
        if isinstance(known, int) and high is not None and high <= 10:
            value = low + (high - low) * known / 100  # a scale of 0-1, 1-5 or 0-10
        value = min(value, high) if high is not None else value
        return round(value) if schema.get("type") == "integer" else round(value, 2)

    def _string(self, schema: Mapping[str, Any], known: Any) -> str:
        text = known if isinstance(known, str) else ""
        return text[: schema.get("maxLength", len(text))]


def _allows_null(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    shapes = schema.get("anyOf") or schema.get("oneOf") or []
    return (isinstance(kind, list) and "null" in kind) or any(s.get("type") == "null" for s in shapes)


def _choose(options: Sequence[Any], known: Any) -> Any:
    by_name = {str(option).lower().replace("-", "_").replace(" ", "_"): option for option in options}
    for word in (str(known), *_SYNONYMS.get(str(known), ())):
        if word in by_name:
            return by_name[word]
    return options[-1]
