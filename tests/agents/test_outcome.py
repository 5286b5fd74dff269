"""Each way a run can end, and that its sentence says what to do."""

import pytest

from obra_tui.agents.outcome import Cause, Ending, classify, result_text
from obra_tui.core.model import Outcome, Remedy


def failed(reason="api_error", status=None, said="", **more):
    """A result as the program sends it: API failures arrive as `success`."""
    return {"subtype": "success", "is_error": True, "terminal_reason": reason, "api_error_status": status,
            "result": said, "num_turns": 1, **more}  # fmt: skip


FAILURES = [
    (401, "Invalid API key · Fix external API key", Outcome.AUTH, "claude.api_key"),
    (None, "Not logged in · Please run /login", Outcome.AUTH, "/login"),
    (401, "OAuth token has expired", Outcome.AUTH, "/login"),
    (None, "API Error: Unable to connect to API (ConnectionRefused)", Outcome.REFUSED, "claude.base_url"),
    (None, "API Error: Connection error.", Outcome.REFUSED, "network"),
    (403, "Failed to authenticate. API Error: 403", Outcome.REFUSED, "claude.model"),
    (400, "Credit balance is too low", Outcome.REFUSED, "credit"),
    (400, "Prompt is too long", Outcome.REFUSED, "smaller"),
    (413, "Request too large", Outcome.REFUSED, "smaller"),
    (404, "There's an issue with the selected model (x)", Outcome.REFUSED, "claude.model"),
    (
        404,
        "The model m is not available on your bedrock deployment. Ask your admin.",
        Outcome.REFUSED,
        "ANTHROPIC_MODEL",
    ),
    (404, "The model m is not available on your vertex deployment.", Outcome.REFUSED, "cloud account"),
    (529, "API Error: Overloaded", Outcome.REFUSED, "again"),
    (429, "API Error: Request rejected (429)", Outcome.LIMITED, "again later"),
    (None, "You've hit your 5-hour limit · resets 9:56am (UTC)", Outcome.LIMITED, "again later"),
    (None, "No conversation found with session ID: x", Outcome.RESUME_BROKEN, "fresh"),
    (500, "", Outcome.REFUSED, "refused"),
]


@pytest.mark.parametrize(("status", "said", "outcome", "fix"), FAILURES)
def test_a_failure_of_the_api_is_classified_by_what_it_says(status, said, outcome, fix):
    classified = classify(Ending(result=failed(status=status, said=said)))
    assert classified.outcome is outcome
    assert said.rstrip(". ") in classified.detail and fix in classified.detail


REMEDIES = [
    (400, "messages.3.content: no low surrogate in string", "task or fresh", "other tasks"),
    (400, "prompt is too long: 1234567 tokens > 1000000 maximum", "task or fresh", "smaller"),
    (413, "Request too large", "task or fresh", "smaller"),
    (None, "The model has reached its context window limit.", "task or fresh", "smaller"),
    (400, "Output blocked by content filtering policy", "task or fresh", "other words"),
    (None, "Claude Code is unable to respond to this request, which appears to violate our Usage Policy",
     "task or fresh", "other words"),
    (403, "Request violates our usage policies", "task or fresh", "other words"),
    (422, "tool_use ids were found without tool_result blocks", "task or fresh", "claude.model"),
    (400, "Credit balance is too low", Remedy.PERSON, "credit"),
    (403, "Your key may not use this model", Remedy.PERSON, "claude.model"),
    (404, "model: nosuch", Remedy.PERSON, "claude.model"),
    (400, "The provided model identifier is invalid.", Remedy.PERSON, "claude.model"),
    (400, "Unexpected value(s) `x` for the `anthropic-beta` header", Remedy.PERSON, "EXPERIMENTAL_BETAS"),
    (403, "The security token included in the request is expired", Remedy.PERSON, "aws sso login"),
    (None, "Could not load credentials from any providers", Remedy.PERSON, "aws sso login"),
    (None, "Could not load the default credentials.", Remedy.PERSON, "cloud account"),
    (None, "AADSTS700082: The refresh token has expired", Remedy.PERSON, "cloud account"),
    (None, "self-signed certificate in certificate chain", Remedy.PERSON, "NODE_EXTRA_CA_CERTS"),
    (None, "unable to verify the first certificate", Remedy.PERSON, "NODE_EXTRA_CA_CERTS"),
    (407, "Proxy Authentication Required", Remedy.PERSON, "HTTPS_PROXY"),
    (None, "API Error: Connection error.", Remedy.WAIT, "network"),
    (529, "Overloaded", Remedy.WAIT, "again"),
    (408, "Request timed out", Remedy.WAIT, "network"),
    (409, "Conflict", Remedy.WAIT, "again"),
    (502, "Bad gateway", Remedy.WAIT, "again"),
    (429, "Too many requests", Remedy.WAIT, "again later"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "said", "remedy", "fix"), REMEDIES)
def test_what_helps_is_known_of_each_refusal_and_said_in_its_own_words(status, said, remedy, fix):
    first = classify(Ending(result=failed(status=status, said=said)))
    later = classify(Ending(result=failed(status=status, said=said), is_begun=True))
    assert fix.lower() in first.detail.lower() and fix.lower() in later.detail.lower().replace("fresh", "other tasks")
    if remedy == "task or fresh":
        assert (first.remedy, later.remedy) == (Remedy.TASK, Remedy.FRESH)
        assert "wait" not in first.detail.lower()
    else:
        assert first.remedy is later.remedy is remedy


@pytest.mark.parametrize("reason", ["prompt_too_long", "image_error"])
def test_a_conversation_that_grew_too_long_is_begun_afresh_and_a_task_is_left(reason):
    assert classify(Ending(result=failed(reason))).remedy is Remedy.TASK
    assert classify(Ending(result=failed(reason), is_begun=True)).remedy is Remedy.FRESH


def test_a_success_that_is_an_error_is_never_completed():
    assert classify(Ending(result=failed(reason="completed"))).outcome is not Outcome.COMPLETED


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("max_turns", Outcome.MAX_TURNS),
        ("budget_exhausted", Outcome.BUDGET),
        ("aborted_streaming", Outcome.KILLED),
        ("aborted_tools", Outcome.KILLED),
        ("prompt_too_long", Outcome.REFUSED),
        ("image_error", Outcome.REFUSED),
    ],
)
def test_the_reason_of_the_program_decides(reason, outcome):
    assert classify(Ending(result=failed(reason))).outcome is outcome


def test_a_known_limit_is_named():
    assert "3 turns" in classify(Ending(result=failed("max_turns"), max_turns="3 turns")).detail
    assert "$2.00" in classify(Ending(result=failed("budget_exhausted"), max_cost="$2.00")).detail


def test_a_rejected_window_gives_the_time_to_wait_for():
    classified = classify(Ending(result=failed(said="limit"), rejected=True, rejected_until=1700.0))
    assert (classified.outcome, classified.until) == (Outcome.LIMITED, 1700.0)
    assert "goes on" in classified.detail


def test_a_plain_result_is_completed():
    result = {"is_error": False, "terminal_reason": "completed", "num_turns": 1}
    assert classify(Ending(result=result)).outcome is Outcome.COMPLETED


def test_a_success_without_a_turn_is_empty():
    assert classify(Ending(result={"is_error": False, "num_turns": 0})).outcome is Outcome.EMPTY


@pytest.mark.parametrize(("code", "how"), [(0, "exit code 0"), (-9, "signal 9"), (None, "lost")])
def test_an_end_without_a_result_is_a_broken_transport(code, how):
    classified = classify(Ending(exit_code=code, error="Segmentation fault"))
    assert classified.outcome is Outcome.TRANSPORT_BROKEN
    assert how in classified.detail and "Segmentation fault" in classified.detail


@pytest.mark.fault(12)
def test_a_kill_for_want_of_memory_is_named_only_with_the_kernels_word_for_it():
    assert "want of memory" not in classify(Ending(exit_code=-9)).detail
    assert "want of memory" not in classify(Ending(exit_code=-15, starved=True)).detail
    named = classify(Ending(exit_code=-9, starved=True))
    assert named.outcome is Outcome.TRANSPORT_BROKEN
    assert "killed by signal 9; the kernel's count of processes killed for want of memory rose" in named.detail
    assert "fewer tasks at a time" in named.detail


def test_what_stderr_said_of_the_conversation_or_the_login_counts_without_a_result():
    in_use = "Error: Session ID 11111111-1111-4111-8111-111111111111 is already in use."
    assert classify(Ending(error=in_use, exit_code=1)).outcome is Outcome.RESUME_BROKEN
    assert classify(Ending(error="Not logged in", exit_code=1)).outcome is Outcome.AUTH


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (Cause.STOPPED, Outcome.KILLED),
        (Cause.INTERRUPTED, Outcome.KILLED),
        (Cause.HUNG, Outcome.HUNG),
        (Cause.TURNS, Outcome.MAX_TURNS),
        (Cause.COST, Outcome.BUDGET),
        (Cause.TIME, Outcome.BUDGET),
    ],
)
def test_what_we_did_ourselves_comes_before_what_the_program_says_of_it(cause, outcome):
    classified = classify(Ending(cause=cause, limit="9 things", result=failed("aborted_streaming")))
    assert classified.outcome is outcome and classified.detail.endswith(".")


def test_diagnostics_for_the_makers_are_not_shown():
    assert result_text({"errors": ["[ede_diagnostic] x=1", "Too bad"]}) == "Too bad"
    assert result_text({"errors": ["[ede_diagnostic] x=1"], "result": " Text "}) == "Text"
