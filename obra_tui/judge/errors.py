"""Why there is no verdict, each as one sentence with what to do next. They never leave this room as exceptions."""

from obra_tui.core.errors import JudgeError


class NotReachable(JudgeError):
    """Nobody listens at the address, or its name is unknown."""


class StillLoading(JudgeError):
    """The server answers, but its model is not ready."""


class ModelMissing(JudgeError):
    pass


class WrongDialect(JudgeError):
    """Somebody answers, but does not speak the configured dialect."""


class ServerRefused(JudgeError):
    """A status or an error line that repeating would not change."""


class RunnerStopped(ServerRefused):
    """The server's process for the model ended before anything was said: once more is worth it."""


class AnswerBroken(JudgeError):
    """The stream stopped before its end, or was no stream of the dialect."""


class DeadlinePassed(JudgeError):
    pass


class PromptCut(JudgeError):
    """The server read less than it was sent."""


class CountTooSmall(JudgeError):
    """The server counted fewer tokens than it was sent; the rest may have been in its cache, or cut."""

    def __init__(self, read: int, least: int) -> None:
        super().__init__(f"The server counted {read} tokens of at least {least}.")
        self.read = read
        self.least = least


class DoesNotFit(JudgeError):
    """Refused before it was sent."""


class DiffUnreadable(JudgeError):
    pass


class AnswerUnusable(JudgeError):
    """The answer arrived, but is no verdict. `what` is shown to the model in the repair request."""

    is_sentence = False
