"""How a run of Claude Code ended, and the one sentence that tells a person what to do about it.

Pure. Judged by `is_error` and `terminal_reason`, never by `subtype`: failures of the API arrive as `success`. Whether
the work is any good, or whether there is any, is not known here.
"""

import re
import signal
from enum import Enum

from msgspec import Struct

from obra_tui.agents.messages import Frame, string, strings
from obra_tui.core.model import Outcome, Remedy
from obra_tui.system.oom import STARVED


class Cause(Enum):
    """Why we ended a run ourselves."""

    NONE = "none"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    HUNG = "hung"
    TURNS = "turns"
    COST = "cost"
    TOKENS = "tokens"
    TIME = "time"


class Ending(Struct, frozen=True, kw_only=True):
    """All that is known when a run is over."""

    result: Frame | None = None
    """The last result frame."""
    cause: Cause = Cause.NONE
    error: str = ""
    """What went wrong on the way: text of an exception, last lines of stderr."""
    exit_code: int | None = None
    is_begun: bool = False
    """The conversation holds more than its first prompt."""
    starved: bool = False
    """The kernel killed something for want of memory during the run."""
    rejected_until: float | None = None
    """Reset time of a usage window that was reported as used up."""
    rejected: bool = False
    limit: str = ""
    """Which limit of ours was reached, for people: `5 turns`, `$2.00`, `600 s`."""
    max_turns: str = ""
    max_cost: str = ""
    """The limits that the program was started with, in the same form."""


class Classified(Struct, frozen=True, kw_only=True):
    outcome: Outcome
    detail: str = ""
    until: float | None = None
    remedy: Remedy | None = None


_NO_SESSION = re.compile(r"no conversation found|session id .* is already in use|not a valid (session|uuid)", re.I)
_NO_LOGIN = re.compile(
    r"not logged in|please run /login|invalid api key|oauth token (has )?(expired|been revoked)",
    re.I,
)
_LIMIT = re.compile(r"\b(hit|reached) your .*limit|usage limit", re.I)
_CREDIT = re.compile(r"credit balance|billing", re.I)
_CLOUD_LOGIN = re.compile(
    r"load (the )?(default )?credentials|security token|expired ?token|unrecognizedclient|invalidclienttoken"
    r"|sso session|invalid_grant|reauth|azurecredential|credential.*unavailable|aadsts\d",
    re.I,
)
_TOO_LONG = re.compile(r"prompt is too long|input is too long|request_too_large|request too large|context window", re.I)
_POLICY = re.compile(r"usage polic|content filter|violat\w+|unable to respond to this request", re.I)
_NO_MODEL = re.compile(
    r"(issue with the selected model|model.*(not found|may not exist|not exist|not supported|isn.t supported)"
    r"|model identifier is invalid)",
    re.I,
)
_CLOUD_MODEL = re.compile(r"not (available|enabled|found) (on|in) your (bedrock|vertex|foundry|mantle)", re.I)
_BETA = re.compile(r"anthropic[-_]beta|extra inputs are not permitted", re.I)
_CERTIFICATE = re.compile(r"certificate|unable_to_get_issuer|self.signed|tlsv1|ssl routines", re.I)
_PROXY = re.compile(r"\b407\b|proxy authentication", re.I)
_NO_CONNECTION = re.compile(
    r"connection ?(error|refused|reset|closed|lost)|unable to connect|econn|enotfound|fetch failed|timed? ?out"
    r"|getaddrinfo",
    re.I,
)
_PASSING = frozenset({408, 409, 425, 429})
"""Statuses below 500 that the same request may not meet again."""

_OWN = {
    Cause.HUNG: (Outcome.HUNG, "Claude Code said nothing for {limit} and was stopped; start the attempt again."),
    Cause.TURNS: (Outcome.MAX_TURNS, "Stopped after {limit}; raise the task's turn limit or make the task smaller."),
    Cause.COST: (Outcome.BUDGET, "Stopped at the budget of {limit}; raise the task's budget to go on."),
    Cause.TOKENS: (Outcome.BUDGET, "Stopped at the budget of {limit}; raise the task's budget to go on."),
    Cause.TIME: (Outcome.BUDGET, "Stopped after {limit}, the task's time limit; raise it to go on."),
    Cause.STOPPED: (Outcome.KILLED, "Stopped on request; the conversation can be resumed."),
    Cause.INTERRUPTED: (Outcome.KILLED, "Interrupted on request; the conversation is kept and can be resumed."),
}


def classify(ending: Ending) -> Classified:
    """Return the outcome of a run with what to do next."""
    if ending.cause is not Cause.NONE:
        return _own(ending.cause, ending.limit)
    if ending.result is None:
        return _without_result(ending)
    if ending.result.get("is_error"):
        return _failed(ending, ending.result)
    if not ending.result.get("num_turns"):
        return Classified(outcome=Outcome.EMPTY, detail="Claude Code ended without doing anything; try it again.")
    return Classified(outcome=Outcome.COMPLETED, detail="Claude Code says it is done.")


def _own(cause: Cause, limit: str = "") -> Classified:
    outcome, detail = _OWN[cause]
    return Classified(outcome=outcome, detail=detail.format(limit=limit))


def result_text(result: Frame) -> str:
    """Return the prose of a result; diagnostics meant for the program's makers are left out."""
    errors = [line for line in strings(result.get("errors")) if not line.startswith("[ede_diagnostic]")]
    return "; ".join(errors) or string(result.get("result")).strip()


def _without_result(ending: Ending) -> Classified:
    if _NO_SESSION.search(ending.error):
        return _resume_broken(ending.error)
    if _NO_LOGIN.search(ending.error):
        return _auth(ending.error)
    how = f"exit code {ending.exit_code}" if ending.exit_code is not None else "it was lost"
    advice = "start the attempt again."
    if ending.exit_code is not None and ending.exit_code < 0:
        how = f"killed by signal {-ending.exit_code}"
    if ending.starved and ending.exit_code == -signal.SIGKILL:
        how += f"; {STARVED}"
        advice = "give the machine more memory, or run fewer tasks at a time, and start the attempt again."
    said = f" It said: {_sentence(ending.error, '')}" if ending.error else ""
    return Classified(
        outcome=Outcome.TRANSPORT_BROKEN,
        detail=f"Claude Code ended without a result ({how}).{said} The work so far is kept; {advice}",
    )


def _failed(ending: Ending, result: Frame) -> Classified:
    text = result_text(result)
    match result.get("terminal_reason"):
        case "max_turns":
            return _own(Cause.TURNS, ending.max_turns or "its turns")
        case "budget_exhausted":
            return _own(Cause.COST, ending.max_cost or "the run")
        case "aborted_streaming" | "aborted_tools":
            return _own(Cause.INTERRUPTED)
        case "prompt_too_long":
            return _for_good(ending, text, _SMALLER)
        case "image_error":
            return _for_good(ending, text, "Remove the image from the task.")
        case _:
            return _api_error(ending, result.get("api_error_status"), text)


_SMALLER = "Make the task smaller, or name the files that matter in it."


def _api_error(ending: Ending, status: object, text: str) -> Classified:
    """What the API said. Text decides before the status: a gateway's status may be anything."""
    if _NO_SESSION.search(text):
        return _resume_broken(text)
    if ending.rejected or status == 429 or _LIMIT.search(text):
        return _limited(ending, text)
    return _of_the_person(status, text) or _of_the_task(ending, status, text) or _passing(text)


def _of_the_person(status: object, text: str) -> Classified | None:
    """Return what an account, a login, a model or an address must be put right for."""
    if _CREDIT.search(text):
        return _refused(text, "Add credit to the account of this API key, or use another key.", Remedy.PERSON)
    if _CLOUD_LOGIN.search(text):
        fix = "Renew the login of your cloud account in a terminal (of AWS: `aws sso login`), then resume."
        return Classified(outcome=Outcome.AUTH, detail=f"{_sentence(text, 'No login')} {fix}", remedy=Remedy.PERSON)
    if status == 401 or _NO_LOGIN.search(text):
        return _auth(text)
    if _POLICY.search(text):
        return None
    if status == 403:
        return _refused(text, "Use a key that may use this model, or set another claude.model.", Remedy.PERSON)
    if _CLOUD_MODEL.search(text):
        fix = "Set claude.model, or ANTHROPIC_MODEL, to a model that your cloud account may use."
        return _refused(text, fix, Remedy.PERSON)
    if _NO_MODEL.search(text) or status == 404:
        return _refused(text, "Check claude.model and claude.base_url.", Remedy.PERSON)
    if _BETA.search(text):
        fix = "This gateway does not know all of Claude Code's requests: set CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS=1."
        return _refused(text, fix, Remedy.PERSON)
    if _CERTIFICATE.search(text):
        fix = "Set NODE_EXTRA_CA_CERTS to the file with your network's certificate, and start Obra again."
        return _refused(text, fix, Remedy.PERSON)
    if _PROXY.search(text):
        fix = "Put the proxy's login into HTTPS_PROXY (http://NAME:PASSWORD@HOST:PORT), and start Obra again."
        return _refused(text, fix, Remedy.PERSON)
    return None


def _of_the_task(ending: Ending, status: object, text: str) -> Classified | None:
    """Return what the API will never take, however often it is asked."""
    if _TOO_LONG.search(text) or status == 413:
        return _for_good(ending, text, _SMALLER)
    if _POLICY.search(text):
        return _for_good(ending, text, "Say the task in other words.")
    if isinstance(status, int) and 400 <= status < 500 and status not in _PASSING:
        return _for_good(ending, text, "Look at the task's text and the files it names, or set another claude.model.")
    return None


def _passing(text: str) -> Classified:
    if _NO_CONNECTION.search(text):
        fix = "Check the network, the proxy and claude.base_url, then start the attempt again."
        return _refused(text, fix, Remedy.WAIT)
    return _refused(text, "Wait a little and start the attempt again.", Remedy.WAIT)


def _for_good(ending: Ending, text: str, fix: str) -> Classified:
    """A refusal that the same request would meet again: of the conversation if there is one, else of the task."""
    if ending.is_begun:
        return _refused(text, f"The next try is a fresh conversation. If that is refused, too: {fix}", Remedy.FRESH)
    return _refused(text, f"{fix} Other tasks go on.", Remedy.TASK)


def _limited(ending: Ending, text: str) -> Classified:
    until = ending.rejected_until
    wait = "Work goes on when it resets." if until else "The API did not say when it resets; try again later."
    detail = f"{_sentence(text, 'The usage limit is reached')} {wait}"
    return Classified(outcome=Outcome.LIMITED, detail=detail, until=until, remedy=Remedy.WAIT)


def _auth(text: str) -> Classified:
    fix = "Check claude.api_key, or log in: run the claude program once and type /login."
    detail = f"{_sentence(text, 'Claude Code is not logged in')} {fix}"
    return Classified(outcome=Outcome.AUTH, detail=detail, remedy=Remedy.PERSON)


def _resume_broken(text: str) -> Classified:
    fix = "The attempt can start a fresh conversation."
    detail = f"{_sentence(text, 'The conversation is gone')} {fix}"
    return Classified(outcome=Outcome.RESUME_BROKEN, detail=detail, remedy=Remedy.FRESH)


def _refused(text: str, fix: str, remedy: Remedy) -> Classified:
    detail = f"{_sentence(text, 'The API refused the request')} {fix}"
    return Classified(outcome=Outcome.REFUSED, detail=detail, remedy=remedy)


def _sentence(text: str, otherwise: str) -> str:
    words = (_brief(text) or otherwise).rstrip(". ")
    return words if words.endswith(("!", "?", "…")) else f"{words}."


def _brief(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 300 else flat[:299] + "…"
