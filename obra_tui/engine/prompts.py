"""What Claude Code is told: pure text from values.

The same facts as the person sees, nothing hidden: the prompt is stored word for
word with the attempt.
"""

from collections.abc import Iterable, Sequence

from obra_tui.core.gate import comparison_words, describe_check, failing
from obra_tui.core.model import CheckResult, Decision, Finding, FindingSource, TaskSpec

_OUTPUT_LIMIT = 6_000
"""Characters of one failing check's output in a prompt: the end says most."""


def task_prompt(task: TaskSpec, notes: Sequence[str] = ()) -> str:
    """Return the first prompt of a conversation."""
    parts = [f"# {task.title}", task.prompt.strip()]
    if task.acceptance:
        parts.append("## Acceptance criteria\n\n" + "\n".join(f"- {item}" for item in task.acceptance))
    parts.append(
        "## How this is accepted\n\n"
        "You work in an isolated copy of the repository. When you are done, the project's own checks are run on your "
        "work and the change is reviewed; what you report is not evidence. Leave existing tests and CI files as they "
        "are unless the task asks for a change. Do not commit or push."
    )
    parts.extend(_notes(notes))
    return "\n\n".join(part for part in parts if part)


def retry_prompt(
    *,
    number: int,
    checks: Sequence[CheckResult],
    findings: Sequence[Finding],
    notes: Sequence[str] = (),
    reasons: Sequence[str] = (),
    chosen: bool = False,
) -> str:
    """Return the prompt of the `number`-th attempt in the same conversation: what was found, word for word.

    What a check found stands with the check; if a person has chosen the findings, all of them are listed.
    """
    parts = [f"# Attempt {number}: this is not accepted yet"]
    parts.extend(_notes(notes))
    failed = failing(checks)
    if failed:
        parts.append("## Failing checks\n\n" + "\n\n".join(_failed_check(result) for result in failed))
    listed = [item for item in findings if chosen or item.source is not FindingSource.CHECK]
    if listed:
        parts.append("## Findings of the review\n\n" + "\n".join(_finding(item) for item in listed))
    if not failed and not listed and reasons:
        parts.append("## Why\n\n" + "\n".join(f"- {reason}" for reason in reasons))
    parts.append(
        "Work on these points in the code that is there. Do not change or weaken existing tests to make them pass."
    )
    return "\n\n".join(parts)


def fresh_prompt(task: TaskSpec, feedback: str) -> str:
    """Return the prompt of a new conversation about work that is already there."""
    return (
        f"{task_prompt(task)}\n\n## State\n\nAn earlier conversation about this task was lost. Its work is in the "
        f"copy: look at it first and go on from there.\n\n{feedback}".rstrip()
    )


def changes_prompt(number: int, decision: Decision, checks: Sequence[CheckResult], notes: Sequence[str] = ()) -> str:
    """Return the prompt after a person asked for changes; an edited prompt goes out exactly as it was written."""
    if decision.prompt.strip():
        return decision.prompt
    note = (decision.note,) if decision.note.strip() else ()
    return retry_prompt(number=number, checks=checks, findings=decision.chosen, notes=(*note, *notes), chosen=True)


def conflict_prompt(number: int, files: Sequence[str], patch: str, notes: Sequence[str] = ()) -> str:
    """Return the prompt after work was accepted elsewhere that this work cannot be merged with."""
    named = "\n".join(f"- `{name}`" for name in files)
    parts = [
        f"# Attempt {number}: other work was accepted first",
        *_notes(notes),
        "Meanwhile the project took in other work that changes the same lines. The copy now holds the project with "
        "that work. Your changes to all other files are still in it; in these files they are not:\n\n" + named,
        "Read these files as they are now and make your change again so that both pieces of work are kept. Do not "
        "undo what is there.",
    ]
    if patch.strip():
        parts.append("## Your earlier change to these files\n\n" + _fenced(_tail(patch.strip())))
    return "\n\n".join(parts)


def merged_prompt(number: int, checks: Sequence[CheckResult], notes: Sequence[str] = ()) -> str:
    """Return the prompt after the work fitted on other accepted work, but did not work together with it."""
    return "\n\n".join(
        (
            f"# Attempt {number}: it does not work together with other accepted work",
            *_notes(notes),
            "Meanwhile the project took in other work. The copy now holds both: git merged them without a conflict, "
            "but what came out does not pass the checks.",
            "## Failing checks",
            *(_failed_check(result) for result in failing(checks)),
            "Look at what the project has now and mend your work so that both are kept. Do not undo what is there.",
        )
    )


def by_hand_note(files: Sequence[str]) -> str:
    """Return what Claude is told after a person worked in the copy themselves."""
    named = "\n".join(f"- `{name}`" for name in files)
    return (
        "I took the copy over and changed these files by hand:\n\n"
        f"{named}\n\nRead them as they are now, keep what I did, and go on with the task from there."
    )


CONTINUE = "You were interrupted. Look at the state of the work in the copy and go on with the task from there."


def _notes(notes: Iterable[str]) -> list[str]:
    texts = [note.strip() for note in notes if note.strip()]
    return ["## From the person who supervises this\n\n" + "\n\n".join(texts)] if texts else []


def _failed_check(result: CheckResult) -> str:
    lines = [f"### {describe_check(result)}", "", f"Command: `{result.spec.run}`"]
    if result.base is not None and (words := comparison_words(result)):
        lines.append(f"Compared with the code before your work: {words}")
    for case in result.failures:
        place = f" ({case.file}:{case.line})" if case.file and case.line else ""
        message = f": {case.message}" if case.message else ""
        lines.append(f"- `{case.name}`{place}{message}")
    output = result.output.strip()
    if output:
        lines += ["", _fenced(_tail(output))]
    return "\n".join(lines)


def _finding(item: Finding) -> str:
    place = f"`{item.place}`: " if item.place else ""
    suggestion = f" Suggestion: {item.suggestion}" if item.suggestion else ""
    said = item.note.strip().replace("\n", "\n  ")
    note = f"\n  Note by the person: {said}" if said else ""
    return f"- **{item.severity}** {place}{item.message}{suggestion}{note}"


def _tail(text: str) -> str:
    if len(text) <= _OUTPUT_LIMIT:
        return text
    return f"[… {len(text) - _OUTPUT_LIMIT} characters left out …]\n{text[-_OUTPUT_LIMIT:]}"


def _fenced(text: str) -> str:
    """Fence `text` with more backticks than it contains in a row."""
    longest = run = 0
    for char in text:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
