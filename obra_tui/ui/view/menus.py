"""What people are asked for: choices with their effects written out, and texts. Pure."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from obra_tui.ui.state import TaskView


class Choice(Struct, frozen=True, kw_only=True):
    id: str
    label: str
    effect: str


MOVES = frozenset("jkgnywfqv")
"""Letters that do something in every list."""
MOST_LETTERED = 9
"""A longer list is gone through, not known by heart."""


def lettered(choices: Sequence[Choice]) -> Mapping[str, str]:
    """Return a letter for each choice, by its id: the first of its label that no other has."""
    if len(choices) > MOST_LETTERED:
        return {}
    found: dict[str, str] = {}
    for choice in choices:
        letters = (letter for letter in choice.label.lower() if "a" <= letter <= "z" and letter not in MOVES)
        letter = next((letter for letter in letters if letter not in found.values()), "")
        if letter:
            found[choice.id] = letter
    return found


class Writing(Struct, frozen=True, kw_only=True):
    """What a text is asked for with."""

    title: str
    explanation: str
    send_label: str
    text: str = ""
    placeholder: str = ""
    may_be_empty: bool = False
    tall: bool = False
    at_end: bool = False
    """The cursor stands behind the text that is there."""


def stop_choices(task: TaskView | None) -> list[Choice]:
    """Return the ways to stop, the harmless one first."""
    choices = [
        Choice(id="none", label="Do not stop", effect="Everything goes on."),
        Choice(id="after_stage", label="After this stage", effect="What runs now is finished first; the rest waits."),
        Choice(id="now", label="Now", effect="Claude is interrupted; the work is kept and can be taken up again."),
    ]
    if task is not None and not task.over:
        effect = f"{task.spec.key} ends as cancelled; its work is kept under a ref. Other tasks go on."
        choices.append(Choice(id="task", label=f"Cancel {task.spec.key} only", effect=effect))
    return choices


def cancel_choices(task: TaskView) -> list[Choice]:
    kept = "Its work is kept under a ref; tasks that wait for it stay blocked."
    return [
        Choice(id="none", label="Do not cancel", effect=f"{task.spec.key} goes on."),
        Choice(id="task", label=f"Cancel {task.spec.key}", effect=kept),
    ]


def remove_choices(named: str) -> list[Choice]:
    return [
        Choice(id="none", label="Leave it in", effect="The plan stays as it is."),
        Choice(id="remove", label=f"Take {named} out", effect="It was not started; z brings it back."),
    ]


def open_choices(folder: str) -> list[Choice]:
    back = "What you change is checked and judged as yours."
    return [
        Choice(id="shell", label="A shell there", effect=f"{folder}. {back}"),
        Choice(id="editor", label="Your editor", effect=f"$VISUAL or $EDITOR on the folder. {back}"),
    ]


def by_hand_choices() -> list[Choice]:
    """Return the ways to work on a task that Claude has been at."""
    return [
        Choice(id="none", label="Leave it to Claude", effect="Nothing changes."),
        Choice(id="shell", label="Take over, in a shell", effect="Claude is interrupted; the shell is in the copy."),
        Choice(id="editor", label="Take over, in your editor", effect="Claude is interrupted; $EDITOR opens the copy."),
    ]


def taken_choices(key: str) -> list[Choice]:
    """Return what can become of work that is in the person's hands."""
    return [
        Choice(id="keep", label="Keep it for now", effect=f"Nothing works on {key} until you hand it back."),
        Choice(id="check", label="Hand back: check and judge it", effect="As your work, without Claude."),
        Choice(id="claude", label="Hand back: Claude goes on", effect="It is told which files you changed."),
        Choice(id="shell", label="Open a shell there", effect="Work on."),
        Choice(id="editor", label="Open your editor", effect="$VISUAL or $EDITOR on the folder."),
    ]


def take_over_choices() -> list[Choice]:
    return [
        Choice(id="look", label="Only look", effect="Nothing is changed; what is stored can be read."),
        Choice(id="take_over", label="Take over", effect="Half-done work is marked as interrupted; you can resume it."),
    ]


def quit_choices() -> list[Choice]:
    """Nothing can go on without this program, so there is no way to leave a run behind."""
    return [
        Choice(id="stay", label="Do not quit", effect="The run goes on."),
        Choice(id="after_stage", label="Stop after this stage, then quit", effect="What runs now is finished first."),
        Choice(id="now", label="Stop now and quit", effect="Claude is interrupted; the work so far is kept."),
    ]
