"""What is the same in every review: settings, rubric, prompts, schema. Made once, shared, never changed."""

from msgspec import Struct

from obra_tui.core.model import JudgeIdentity, JudgeRequest
from obra_tui.judge.config import JudgeConfig
from obra_tui.judge.exchange import Message, Question
from obra_tui.judge.prompt import (
    COSTLIEST_MARK,
    Limits,
    Prompts,
    load_prompts,
    new_mark,
    prompt_tokens,
    review_text,
    system_text,
    trim,
)
from obra_tui.judge.rubric import Rubric, answer_schema, load_rubric

_COMPLAINT = 300
"""Characters of what is wrong with an answer that the model is told."""
_SHORTER = "It was too long: report at most five findings, one sentence each."


class Standards(Struct, frozen=True, kw_only=True):
    config: JudgeConfig
    rubric: Rubric
    prompts: Prompts

    @classmethod
    def of(cls, config: JudgeConfig) -> "Standards":
        return cls(config=config, rubric=load_rubric(), prompts=load_prompts())

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
        )

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
        text = review_text(self.prompts, request, diff, number, total, Limits.of(self.config.num_ctx), mark)
        system = system_text(self.prompts, self.rubric)
        return (Message(role="system", content=system), Message(role="user", content=text))

    def question(self, messages: tuple[Message, ...], max_output_tokens: int) -> Question:
        schema = answer_schema(self.rubric)
        return Question(messages=messages, schema=schema, max_output_tokens=max_output_tokens)

    def room_after(self, messages: tuple[Message, ...]) -> int:
        """Tokens that `messages` leave in the model's context."""
        return self.config.num_ctx - prompt_tokens(messages)
