"""What the judge is told and in which form it must answer: rubric, prompt templates, JSON schema and their hashes.

Templates are filled from the request; everything untrusted stands inside fences of a random mark. The mark is new in
every prompt, so nothing that was written before can contain it, and it stands at the very start of the user's message:
what follows it can come from no prefix cache, so the server's token count covers all of it. What is the same in every
review is made once and never changed. Knows no server.
"""

import dataclasses
import hashlib
import json
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from string import Template
from typing import Any

from msgspec import Struct

from obra_tui.core.model import (
    JUDGED_STAGES,
    CheckResult,
    CheckStatus,
    FailedCase,
    FileChange,
    Finding,
    JudgeIdentity,
    JudgeRequest,
    Severity,
    Stage,
)
from obra_tui.judge.config import JudgeConfig
from obra_tui.judge.exchange import Message, Question
from obra_tui.judge.parts import one_line, visible
from obra_tui.judge.tokens import estimate

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


_MOST_NAMES = 100
"""With more files than this their names are not part of the grammar, which would be slow; the parser knows them all."""
_TEXT: Mapping[str, object] = {"type": "string", "minLength": 1, "maxLength": 400}
"""A model that cannot end a sentence is ended by the grammar, and not by the length limit of the whole answer."""
_MAYBE_TEXT: Mapping[str, object] = {"type": "string", "maxLength": 400}
_SUMMARY: Mapping[str, object] = {"type": "string", "minLength": 1, "maxLength": 800}


class Places(Struct, frozen=True, kw_only=True):
    """What the findings of one part can name."""

    files: tuple[str, ...] = ()
    """None: anything that is written like a name."""
    last_line: int = 0
    """0: any."""


def _place(places: Places) -> tuple[dict[str, object], dict[str, object]]:
    names = tuple(dict.fromkeys(one_line(name) for name in places.files))
    file: dict[str, object] = {"type": "string"}
    line: dict[str, object] = {"type": ["integer", "null"]}
    if 0 < len(names) <= _MOST_NAMES:
        file["enum"] = [*names, ""]
    if places.last_line:
        line |= {"minimum": 1, "maximum": places.last_line}
    return file, line


def answer_schema(rubric: Rubric, places: Places | None = None) -> dict[str, object]:
    """Return the schema of an answer: findings first and the verdict last, because a model writes left to right."""
    file, line = _place(places or Places())
    finding = _closed(
        {
            "file": file,
            "line": line,
            "severity": {"type": "string", "enum": [item.value for item in Severity]},
            "kind": {"type": "string", "enum": list(rubric.kinds)},
            "message": _TEXT,
            "suggestion": _MAYBE_TEXT,
        }
    )
    score = {"type": "integer", "minimum": 0, "maximum": 100}
    return _closed(
        {
            "findings": {"type": "array", "items": finding, "maxItems": rubric.max_findings},
            "scores": _closed({criterion.id: score for criterion in rubric.criteria}),
            "summary": _SUMMARY,
            "verdict": {"type": "string", "enum": list(OPINIONS)},
        }
    )


_NAMES = ("system", "review", "repair")
_CHARS_PER_TOKEN = 3
_MESSAGE_OVERHEAD = 16
"""Tokens that a chat template adds round a message."""


class Prompts(Struct, frozen=True, kw_only=True):
    system: Template
    review: Template
    repair: Template
    hash: str


@cache
def load_prompts() -> Prompts:
    folder = files(__package__).joinpath("prompts")
    texts = {name: folder.joinpath(f"{name}.md").read_text(encoding="utf-8") for name in _NAMES}
    digest = hashlib.sha256("\0".join(texts[name] for name in _NAMES).encode()).hexdigest()
    system, review, repair = (Template(_without_title(texts[name])) for name in _NAMES)
    return Prompts(system=system, review=review, repair=repair, hash=digest)


def _without_title(text: str) -> str:
    """The first line names the prompt and its version for people; the model does not need it."""
    return text.partition("\n")[2]


COSTLIEST_MARK = "0" * 32
"""No mark is estimated at more tokens than this one: each of its digits counts."""


def new_mark() -> str:
    """Return 128 random bits."""
    return secrets.token_hex(16)


class EvidenceLimits(Struct, frozen=True, kw_only=True):
    """How many characters of each kind of evidence are shown, so that the diff keeps most of the context."""

    output: int
    message: int
    previous: int
    files: int

    @classmethod
    def of(cls, num_ctx: int) -> "EvidenceLimits":
        chars = num_ctx * _CHARS_PER_TOKEN
        return cls(output=chars // 8, message=chars // 25, previous=chars // 16, files=chars // 25)


def trim(text: str, limit: int) -> str:
    """Return `text`, or its beginning and end with a remark between: errors stand at the end, causes at the start."""
    if len(text) <= limit:
        return text
    head, tail = limit // 3, limit - limit // 3
    return f"{text[:head]}\n[... {len(text) - limit} characters left out ...]\n{text[-tail:]}"


def fenced(mark: str, name: str, text: str) -> str:
    return f"<<<{mark} {name}\n{visible(text)}\n{mark}>>>"


# --- the system's part ---------------------------------------------------------------------------


def system_text(prompts: Prompts, rubric: Rubric) -> str:
    return prompts.system.substitute(
        criteria="\n".join(criterion.text for criterion in rubric.criteria),
        ids=", ".join(f"`{name}`" for name in rubric.ids),
        kinds=", ".join(f"`{kind}`" for kind in rubric.kinds),
        max_findings=rubric.max_findings,
    )


# --- the request's part --------------------------------------------------------------------------


def review_text(
    prompts: Prompts, request: JudgeRequest, diff: str, number: int, total: int, limits: EvidenceLimits, mark: str
) -> str:
    """Return the message for part `number` of `total`; `diff` is that part as shown."""
    return prompts.review.substitute(
        mark=mark,
        title=one_line(request.task.title),
        task=visible(request.task.prompt),
        acceptance=_acceptance(request.task.acceptance),
        checks=_checks(request.checks, mark, limits.output),
        message=_or_nothing(mark, "author", trim(request.claude_message, limits.message)),
        previous=_or_nothing(mark, "findings", trim(_previous(request.previous_findings), limits.previous)),
        files=fenced(mark, "files", trim(_files(request.diff.files), limits.files)),
        part=f", part {number} of {total}" if total > 1 else "",
        diff=fenced(mark, "diff", diff),
        attempt=request.attempt_number,
        scope=_scope(number, total),
    )


def _scope(number: int, total: int) -> str:
    if total == 1:
        return ""
    return (
        f" You were shown part {number} of {total}; the other parts are reviewed separately. Score what this part"
        " contributes, and do not report as missing what may stand in another part (see the list of files)."
    )


def _acceptance(criteria: Iterable[str]) -> str:
    return "\n".join(f"- {visible(line)}" for line in criteria) or "None given beside the task."


def _or_nothing(mark: str, name: str, text: str) -> str:
    return fenced(mark, name, text) if text.strip() else "Nothing."


def _previous(findings: Iterable[Finding]) -> str:
    return "\n".join(f"- {item.severity} {one_line(item.place) or '(no file)'}: {item.message}" for item in findings)


def _files(changes: Iterable[FileChange]) -> str:
    return "\n".join(_file(change) for change in changes)


def _file(change: FileChange) -> str:
    origin = f" from {one_line(change.old_path)}" if change.old_path else ""
    size = "binary, not shown" if change.binary else f"+{change.added} -{change.removed}"
    protected = f", protected: {change.protected}" if change.protected else ""
    return f"{one_line(change.path)}: {change.kind}{origin}, {size}{protected}"


def _checks(results: tuple[CheckResult, ...], mark: str, limit: int) -> str:
    if not results:
        return "No check was run: nothing is known about whether it works."
    bad = [result for result in results if result.status is not CheckStatus.PASSED]
    share = limit // max(1, len(bad))
    return "\n".join(_check(result, mark, share) for result in results)


def _check(result: CheckResult, mark: str, limit: int) -> str:
    exit_code = "no exit code" if result.exit_code is None else f"exit code {result.exit_code}"
    weight = "blocking" if result.spec.blocking else "not blocking"
    line = f"- {one_line(result.spec.name)}: {result.status.upper()} ({exit_code}, {weight}{_counts(result)})"
    if result.status is CheckStatus.PASSED:
        return line
    cases = "\n".join(_case(case) for case in result.failures)
    detail = "\n".join(text for text in (result.detail, cases and f"Failing tests:\n{trim(cases, limit // 2)}") if text)
    output = "\n".join((detail, trim(result.output, limit))).strip()
    return f"{line}\n{fenced(mark, 'output', output)}"


def _counts(result: CheckResult) -> str:
    known = (("passed", result.passed), ("failed", result.failed), ("skipped", result.skipped))
    return "".join(f", {number} {name}" for name, number in known if number is not None)


def _case(case: FailedCase) -> str:
    place = f" ({one_line(case.file)}{f':{case.line}' if case.line else ''})" if case.file else ""
    first_line = case.message.strip().partition("\n")[0]
    return f"- {one_line(case.name)}{place}{f': {first_line}' if first_line else ''}"


# --- size ----------------------------------------------------------------------------------------


def prompt_tokens(messages: Iterable[Message]) -> int:
    """Estimate of a whole conversation as the server will count it."""
    return sum(_tokens(message) + _MESSAGE_OVERHEAD for message in messages)


def _tokens(message: Message) -> int:
    return _tokens_of_system(message.content) if message.role == "system" else estimate(message.content)


@lru_cache(maxsize=2)
def _tokens_of_system(text: str) -> int:
    """What every review begins with is counted once."""
    return estimate(text)


def as_read(messages: Iterable[Message]) -> str:
    """The conversation as one text, for the journal."""
    return "\n\n".join(f"[{message.role}]\n{message.content}" for message in messages)


_COMPLAINT = 300
"""Characters of what is wrong with an answer that the model is told."""
_SHORTER = "It was too long: report at most five findings, one sentence each."


class Standards(Struct, frozen=True, kw_only=True):
    config: JudgeConfig
    rubric: Rubric
    prompts: Prompts

    @classmethod
    def of(cls, config: JudgeConfig, rubric: Rubric | None = None) -> "Standards":
        return cls(config=config, rubric=rubric or load_rubric(), prompts=load_prompts())

    @property
    def identity(self) -> JudgeIdentity:
        """Who would judge; the model's exact name and digest are known when the server has been asked."""
        return JudgeIdentity(
            model=self.config.model,
            url=self.config.shown_url,
            dialect=self.config.dialect,
            rubric=self.rubric.title,
            rubric_hash=self.rubric.hash,
            prompt_hash=self.prompts.hash,
            options_hash=self._options_hash,
        )

    @property
    def _options_hash(self) -> str:
        """What else an answer depends on: the schema, and what is sent along with each question."""
        config = self.config
        numbers = (config.num_ctx, config.temperature, config.seed, config.think, config.max_output_tokens)
        schema = json.dumps(answer_schema(self.rubric), sort_keys=True)
        return hashlib.sha256(f"{schema}\0{numbers}".encode()).hexdigest()

    def within(self, context: int | None) -> "Standards":
        """Return the standards for a server that gives the model so many tokens, if they are fewer."""
        if context is None or context >= self.config.num_ctx:
            return self
        smaller = dataclasses.replace(self.config, num_ctx=context)
        return Standards(config=smaller, rubric=self.rubric, prompts=self.prompts)

    def messages(self, request: JudgeRequest, diff: str, number: int, total: int) -> tuple[Message, ...]:
        return self._messages(request, diff, number, total, new_mark())

    def frame(self, request: JudgeRequest) -> int:
        """Tokens of the largest prompt without any of the diff."""
        return prompt_tokens(self._messages(request, "", 99, 99, COSTLIEST_MARK))

    def complaint(self, wrong: str, *, cut: bool) -> Message:
        """What is said to the model about an unusable answer of its own."""
        text = self.prompts.repair.substitute(error=trim(wrong, _COMPLAINT), advice=_SHORTER if cut else "")
        return Message(role="user", content=text)

    def second_try(self) -> int:
        """Tokens that a complaint takes at most, if it is in plain words: kept free, so that there can be one."""
        return prompt_tokens((self.complaint("0 " * (_COMPLAINT // 2), cut=True),))

    def _messages(self, request: JudgeRequest, diff: str, number: int, total: int, mark: str) -> tuple[Message, ...]:
        text = review_text(self.prompts, request, diff, number, total, EvidenceLimits.of(self.config.num_ctx), mark)
        system = system_text(self.prompts, self.rubric)
        return (Message(role="system", content=system), Message(role="user", content=text))

    def question(
        self, messages: tuple[Message, ...], max_output_tokens: int, model: str = "", places: Places | None = None
    ) -> Question:
        schema = answer_schema(self.rubric, places)
        return Question(messages=messages, schema=schema, max_output_tokens=max_output_tokens, model=model)

    def room_after(self, messages: tuple[Message, ...]) -> int:
        """Tokens that `messages` leave in the model's context."""
        return self.config.num_ctx - prompt_tokens(messages)
