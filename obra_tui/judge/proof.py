"""Whether the server read everything that it was sent, by its own token count. Pure.

Three things are compared, because a cut prompt shows in different ways:

* fewer tokens than the text can possibly have: it was cut;
* as many as the whole context holds: it was cut to fit (Ollama fills the context to its last token but one);
* no count at all: unknown. Older Ollamas leave the count out, or count less, when the prompt was still in their cache.
  That is no sign of a cut, so it is noted and not punished. A count that is there can be trusted: the random mark at
  the start of the user's message is in no cache, so only what stands before it could be missing from the count, and
  only what stands behind it is demanded.
"""

from obra_tui.judge.errors import PromptCut
from obra_tui.judge.exchange import Answer
from obra_tui.judge.tokens import at_least

UNPROVEN = "The server did not say how many tokens it read, so that it read the whole prompt is not proven."


def check_read(answer: Answer, fresh: str, num_ctx: int) -> str:
    """Return a remark if nothing is known; raise `PromptCut` if `fresh`, the uncached text, was not read whole."""
    read = answer.prompt_tokens
    if read is None:
        return UNPROVEN
    least = at_least(fresh)
    if read < least:
        raise PromptCut(
            f"The prompt was cut: the server read {read} tokens, and what it was sent has at least {least}.",
            fix="Raise the context that the server gives the model, or lower judge.num_ctx to what it really has.",
        )
    if read >= num_ctx - 1:
        raise PromptCut(
            f"The prompt filled the whole context ({read} of {num_ctx} tokens), so a piece may be missing.",
            fix="Raise judge.num_ctx, or decide by hand.",
        )
    return ""
