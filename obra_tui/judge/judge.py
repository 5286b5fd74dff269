"""`QwenJudge`, the port: connects, plans the parts, asks them one after the other, repairs once, and adds up.

Every way to fail becomes an unjudged verdict with its reason. A `Sitting` lives as long as one review does.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING

from msgspec.structs import replace

from obra_tui.core.errors import JudgeError
from obra_tui.core.events import JudgePrompted, JudgeStarted, JudgeStreamed, JudgeWaiting
from obra_tui.core.model import Finding, JudgeIdentity, JudgeRequest, Verdict
from obra_tui.core.ports import Emit
from obra_tui.judge.aggregate import Shown, Weighed, confirmed, contradictions, joined, shown_in
from obra_tui.judge.config import JudgeConfig
from obra_tui.judge.errors import AnswerUnusable, CountTooSmall, DoesNotFit
from obra_tui.judge.exchange import Answer, Hearing, Message, Question, Served, WaitState
from obra_tui.judge.injection import orders_around, orders_in_change, orders_in_message
from obra_tui.judge.parts import Hunk
from obra_tui.judge.planning import PromptPlan, plan_review
from obra_tui.judge.template import INJECTION, Rubric, Standards, as_read, trim
from obra_tui.judge.tokens import check_again, check_read
from obra_tui.judge.verdict import Opinion, parse_answer, unwrapped

if TYPE_CHECKING:
    from obra_tui.judge.client import ModelClient

Asking = Callable[[Question, Hearing], Awaitable[Answer]]

_QUOTED = 6000
"""Characters of an unusable answer that are shown back to the model."""


class Sitting:
    def __init__(self, standards: Standards, request: JudgeRequest, emit: Emit) -> None:
        self._standards = standards
        self._request = request
        self._emit = emit
        self._began = time.monotonic()
        self._identity = standards.identity
        self._plan = PromptPlan(hunks=(), parts=())
        self._hunks_seen = 0
        self._answers: list[Answer] = []
        self._opinions: list[Weighed] = []
        self._remarks: dict[str, None] = {}

    # --- the course of a review --------------------------------------------------------------

    def keep_to(self, standards: Standards) -> None:
        """The server gives the model less context than it was asked for: the parts are made for what it gives."""
        told, wanted = standards.config.num_ctx, self._standards.config.num_ctx
        self._remarks[f"The server gives the model {told} tokens of context, not the {wanted} of judge.num_ctx."] = None
        self._standards = standards

    def open(self, plan: PromptPlan, served: Served) -> None:
        self._plan = plan
        self._identity = identity_of(self._standards, served)
        self._emit(JudgeStarted(identity=self._identity, parts=len(plan.parts), hunks=len(plan.hunks)))
        if served.loaded is False:
            self._wait("loading", f"{served.model} is loaded into memory first; that can take minutes.")

    async def hear(self, ask: Asking) -> Verdict:
        """Judge every part; raises one of `judge.faults` at the first that has no usable answer."""
        for number, part in enumerate(self._plan.parts, start=1):
            self._wait("reading", f"{self._identity.model} reads part {number} of {len(self._plan.parts)}.")
            opinion = await self._part(number, ask)
            self._opinions.append(Weighed(opinion=opinion, weight=part.weight))
            self._hunks_seen += part.finishes
        return self._conclusion()

    def unjudged(self, reason: str) -> Verdict:
        return replace(self._so_far(), unjudged=reason)

    def hearing(self, part: int) -> Hearing:
        told = False

        def thinking(_: str) -> None:
            nonlocal told
            if not told:
                told = True
                self._wait("reading", f"{self._identity.model} thinks before it answers.")

        return Hearing(
            waiting=self._wait, piece=lambda text: self._emit(JudgeStreamed(part=part, text=text)), thought=thinking
        )

    def _wait(self, state: WaitState, text: str) -> None:
        self._emit(JudgeWaiting(state=state, text=text))

    # --- one part ----------------------------------------------------------------------------

    async def _part(self, number: int, ask: Asking) -> Opinion:
        part = self._plan.parts[number - 1]
        shown = shown_in(self._request.diff, part, self._request.checks)
        messages = self._standards.messages(self._request, part.shown, number, len(self._plan.parts))
        answer = await self._ask(ask, messages, number, shown)
        try:
            return self._understood(answer, shown)
        except AnswerUnusable as fault:
            return await self._repaired(ask, self._complaint(messages, answer, fault), number, shown, fault)

    def _complaint(self, messages: tuple[Message, ...], answer: Answer, fault: AnswerUnusable) -> tuple[Message, ...]:
        """The conversation for the second try: with the unusable answer, if there is room for it."""
        complaint = self._standards.complaint(fault.what, cut=answer.cut)
        quoted = Message(role="assistant", content=trim(answer.text, _QUOTED) or "(nothing)")
        full = (*messages, quoted, complaint)
        fits = self._standards.room_after(full) >= self._standards.config.max_output_tokens
        return full if fits else (*messages, complaint)

    async def _repaired(
        self, ask: Asking, conversation: tuple[Message, ...], number: int, shown: Shown, first: AnswerUnusable
    ) -> Opinion:
        answer = await self._ask(ask, conversation, number, shown, repair=True)
        try:
            return self._understood(answer, shown, thoughts_allowed=True)
        except AnswerUnusable as second:
            raise AnswerUnusable(
                f"{self._identity.model} gave no usable verdict in two tries: first {first.what}; then {second.what}.",
                fix=self._advice(),
            ) from second

    async def _ask(
        self, ask: Asking, messages: tuple[Message, ...], number: int, shown: Shown, *, repair: bool = False
    ) -> Answer:
        config = self._standards.config
        room = self._standards.room_after(messages)
        size = config.num_ctx - room
        if room < config.max_output_tokens:
            raise DoesNotFit(
                f"The prompt of part {number} (about {size} tokens) and its answer do not fit into the model's context"
                f" ({config.num_ctx} tokens); it was not sent.",
                fix="Raise judge.num_ctx, or decide by hand.",
            )
        self._emit(JudgePrompted(part=number, text=as_read(messages), token_estimate=size, repair=repair))
        limit = min(room, 2 * config.max_output_tokens) if repair else config.max_output_tokens
        if config.think == "on":
            limit = min(room, limit + config.think_tokens)
        question = self._standards.question(messages, limit, self._identity.model, shown.places)
        answer = await ask(question, self.hearing(number))
        self._answers.append(answer)
        self._remarks[await self._proof(ask, question, answer)] = None
        return answer

    async def _proof(self, ask: Asking, question: Question, answer: Answer) -> str:
        """Return what is to be remarked about the reading; raises `PromptCut` if the prompt was not read whole."""
        try:
            return check_read(
                answer, [message.content for message in question.messages], self._standards.config.num_ctx
            )
        except CountTooSmall as doubt:
            silent = Hearing(waiting=self._wait, piece=lambda _: None)
            return check_again(doubt, await ask(replace(question, max_output_tokens=1), silent))

    def _understood(self, answer: Answer, shown: Shown, *, thoughts_allowed: bool = False) -> Opinion:
        if answer.looped:
            raise AnswerUnusable("the answer went round in a circle and was ended")
        if answer.cut:
            spent = f" after {answer.thoughts} characters of thinking" if answer.thoughts else ""
            raise AnswerUnusable(f"the answer was cut off at the length limit{spent}")
        text, wrapped = unwrapped(answer.text, thoughts_allowed=thoughts_allowed)
        if wrapped:
            self._remarks[f"The answer came {wrapped}: the server does not keep to the schema that it is given."] = None
        opinion = parse_answer(text, self._standards.rubric, thoughts_allowed=thoughts_allowed)
        return replace(opinion, findings=confirmed(opinion.findings, shown))

    def _advice(self) -> str:
        """What helps when no answer could be used."""
        last = self._answers[-1]
        if last.thoughts or "</think>" in last.text:
            return (
                'The model thinks before it answers. Set judge.think = "off", or judge.think = "on" and a larger '
                "judge.num_ctx; or choose another model with judge.model."
            )
        if not last.text.lstrip().startswith("{"):
            return (
                "The server does not keep to the schema that it is given: a newer version of it, or another model "
                "with judge.model, may; else decide by hand."
            )
        return "Judge again, decide by hand, or choose a larger model with judge.model."

    # --- the sum -----------------------------------------------------------------------------

    def _conclusion(self) -> Verdict:
        opinion = joined(self._opinions)
        orders = _unreported_orders(self._request, self._plan.hunks, opinion.findings)
        opinion = replace(opinion, findings=(*opinion.findings, *orders))
        odd = contradictions(opinion, self._request.checks, self._request.diff)
        return replace(
            self._so_far(),
            scores=opinion.scores,
            findings=opinion.findings,
            summary="\n".join(text for text in (opinion.summary, *self._remarks) if text),
            opinion=opinion.opinion,
            contradictions=(*odd, *self._strangers()),
        )

    def _so_far(self) -> Verdict:
        return Verdict(
            identity=self._identity,
            raw="\n\n".join(answer.text for answer in self._answers),
            hunks_total=len(self._plan.hunks),
            hunks_seen=self._hunks_seen,
            prompt_tokens=sum(answer.prompt_tokens or 0 for answer in self._answers),
            output_tokens=sum(answer.output_tokens for answer in self._answers),
            duration_s=time.monotonic() - self._began,
        )

    def _strangers(self) -> tuple[str, ...]:
        """A server may answer with another model than it was asked for; the verdict must not hide that."""
        wanted = self._identity.model
        same = {"", wanted, f"{wanted}:latest", wanted.removesuffix(":latest"), self._standards.config.answers_as}
        known = {name.casefold() for name in same}
        return tuple(
            f"The answer came from the model {name}, not from {wanted}, which was asked."
            for name in sorted({answer.model for answer in self._answers})
            if name.casefold() not in known
        )


def _unreported_orders(request: JudgeRequest, hunks: tuple[Hunk, ...], known: tuple[Finding, ...]) -> list[Finding]:
    places = {(item.file, item.line) for item in known if item.kind == INJECTION}
    found = (
        *orders_in_change(hunks),
        *orders_in_message(request.claude_message),
        *orders_around(request, hunks),
    )
    return [item for item in found if (item.file, item.line) not in places]


def identity_of(standards: Standards, served: Served) -> JudgeIdentity:
    """Return who judges by these standards, with the model as the server names it."""
    return replace(standards.identity, model=served.model, digest=served.digest, template_hash=served.template)


class QwenJudge:
    """Reviews diffs with a local model. Nothing heavy is imported and nothing connected before the first review."""

    def __init__(self, config: JudgeConfig, rubric: Rubric | None = None) -> None:
        """Another rubric than the built-in one is for experiments: its answers are those of another judge."""
        self._standards = Standards.of(config, rubric)
        self._client: ModelClient | None = None
        self._lane = asyncio.Lock()

    @property
    def identity(self) -> JudgeIdentity:
        """Who would judge, with the hashes in force, before any server is asked."""
        return self._standards.identity

    async def review(self, request: JudgeRequest, emit: Emit) -> Verdict:
        sitting = Sitting(self._standards, request, emit)
        try:
            plan = await asyncio.to_thread(plan_review, request, self._standards)
            hearing = sitting.hearing(0)
            hearing.waiting("connecting", f"Asking {self.identity.url} for {self.identity.model}.")
            client = await self._connected()
            served = await client.served(hearing)
            within = self._standards.within(served.context)
            if within is not self._standards:
                sitting.keep_to(within)
                plan = await asyncio.to_thread(plan_review, request, within)
            sitting.open(plan, served)
            return await sitting.hear(self._in_turn(client, hearing))
        except JudgeError as fault:
            return sitting.unjudged(str(fault))

    async def identify(self) -> JudgeIdentity:
        """Return who would judge, as the server tells it now. Raises `JudgeError` when it is not there."""
        client = await self._connected()
        served = await client.served(Hearing(waiting=lambda state, text: None, piece=lambda _: None))
        return identity_of(self._standards.within(served.context), served)

    def _in_turn(self, client: "ModelClient", hearing: Hearing) -> Asking:
        """One question at a time: a local server would queue them, and the wait would use up their deadlines."""

        async def ask(question: Question, listening: Hearing) -> Answer:
            if self._lane.locked():
                hearing.waiting("reading", "Another review is with the model; this one waits for its turn.")
            async with self._lane:
                return await client.ask(question, listening)

        return ask

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _connected(self) -> "ModelClient":
        if self._client is None:
            # a quarter of a second of imports: in a thread, so that the loop goes on meanwhile
            await asyncio.to_thread(import_module, "obra_tui.judge.client")
        if self._client is None:
            from obra_tui.judge.client import ModelClient

            self._client = ModelClient(self._standards.config)
        return self._client
