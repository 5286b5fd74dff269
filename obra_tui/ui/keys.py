"""Every key of the program in one table, and what a person may change about it.

Imports no Textual, so that a wrong `[keys]` in the settings is refused before
anything is drawn. `bindings.py` makes Textual's bindings of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from obra_tui.core.errors import ConfigError


class Key(Struct, frozen=True, kw_only=True):
    """One binding. Its action is its own: the footer merges bindings that share one."""

    id: str
    """`scope.name`; the name is also the action."""
    keys: str
    label: str
    show: bool = False
    """In the footer; at most seven per screen."""
    priority: bool = False
    grants: bool = False
    """Says yes to something: no key that a person presses by habit may do that."""

    @property
    def scope(self) -> str:
        return self.id.partition(".")[0]

    @property
    def action(self) -> str:
        return self.id.partition(".")[2]


def _key(
    key_id: str, keys: str, label: str, *, show: bool = False, priority: bool = False, grants: bool = False
) -> Key:
    return Key(id=key_id, keys=keys, label=label, show=show, priority=priority, grants=grants)


_PANES = (
    ("next_pane", "tab", "Next pane"),
    ("previous_pane", "shift+tab", "Previous pane"),
)

KEYS: tuple[Key, ...] = (
    _key("app.show_live", "1", "Live"),
    _key("app.show_tasks", "2", "Tasks"),
    _key("app.show_gates", "3", "Gates"),
    _key("app.show_history", "4", "History"),
    _key("app.show_metrics", "5", "Metrics"),
    _key("app.show_setup", "6", "Setup"),
    _key("app.show_judge", "7", "Judge"),
    _key("app.command_palette", "ctrl+p,colon", "Palette"),
    _key("app.show_help", "question_mark,f1", "Help", show=True, priority=False),
    _key("app.show_notices", "f8", "Notices"),
    _key("app.answer_question", "A", "Answer Claude", show=True),
    _key("app.undo", "z", "Undo", show=True),
    _key("app.revert", "z", "Revert accepted work"),
    _key("app.ask_quit", "ctrl+q", "Quit", priority=True),
    _key("app.quit_app", "q", "Quit"),
    _key("live.review_gate", "g", "Review gate", show=True),
    _key("live.pause", "p", "Pause", show=True),
    _key("live.resume_run", "p", "Go on", show=True),
    _key("live.stop_run", "s", "Stop…", show=True),
    _key("live.message", "m", "Message", show=True),
    _key("live.new_task", "t", "New task", show=True),
    _key("live.follow", "f", "Follow", show=True),
    _key("live.zoom", "plus,equals_sign", "Zoom", show=True),
    _key("live.unzoom", "minus", "Unzoom"),
    _key("live.interrupt", "P", "Interrupt Claude"),
    _key("live.show_rules", "R", "Rules…"),
    _key("live.edit_prompt", "E", "Next prompt…"),
    _key("live.take_over", "o", "Take over…"),
    _key("live.find", "slash", "Find", show=True),
    _key("live.raw", "v", "Raw", show=True),
    _key("live.wrap", "w", "Wrap lines"),
    _key("live.show_work", "d", "Diff of the work so far"),
    _key("live.next_task", "J,right_curly_bracket", "Next task"),
    _key("live.previous_task", "K,left_curly_bracket", "Previous task"),
    _key("live.next_attempt", "right_square_bracket", "Next attempt"),
    _key("live.previous_attempt", "left_square_bracket", "Previous attempt"),
    _key("live.go_back", "escape", "Follow the work"),
    *(_key(f"live.{name}", keys, label) for name, keys, label in _PANES),
    _key("review.approve", "a", "Approve", show=True, grants=True),
    _key("review.request_changes", "c", "Changes…", show=True),
    _key("review.reject", "r", "Reject…", show=True),
    _key("review.edit_prompt", "e", "Edit prompt…", show=True),
    _key("review.open_copy", "o", "Open copy…", show=True),
    _key("review.stop_run", "s", "Stop run…"),
    _key("review.later", "l,escape", "Later", show=True),
    _key("review.next_file", "n", "Next file", show=True),
    _key("review.previous_file", "N", "Previous file"),
    _key("review.next_hunk", "right_square_bracket", "Next hunk"),
    _key("review.previous_hunk", "left_square_bracket", "Previous hunk"),
    _key("review.base", "d", "Diff since the base, the attempt before, or HEAD"),
    _key("review.all_facts", "h", "All facts: hashes, policy, judge"),
    _key("review.note_finding", "m", "Note on a finding"),
    _key("review.comment", "enter", "Comment on this line"),
    _key("review.open_file", "ctrl+g", "Open file at its line in $EDITOR"),
    _key("review.find", "slash", "Find in the diff"),
    _key("review.add_finding", "plus,i", "Add a finding"),
    _key("review.blind", "b", "Blind: own score first"),
    _key("review.split", "t", "Split or unified"),
    _key("review.wrap", "w", "Wrap lines"),
    _key("review.reload", "f5", "Reload"),
    *(_key(f"review.{name}", keys, label) for name, keys, label in _PANES),
    _key("permission.allow_once", "o", "Allow once", show=True, grants=True),
    _key("permission.allow_session", "s", "Allow for this session", show=True, grants=True),
    _key("permission.deny", "d", "Deny…", show=True),
    _key("permission.mark", "m", "Mark", show=True),
    _key("permission.show_rules", "R", "Rules…", show=True),
    _key("permission.later", "l,escape", "Later", show=True),
    _key("rules.revoke", "x", "Revoke", show=True),
    _key("rules.leave", "escape", "Back", show=True),
    _key("tasks.open_task", "enter", "Watch"),
    _key("tasks.settle", "c", "Settle changes…", show=True),
    _key("tasks.add_quick", "n", "New", show=True),
    _key("tasks.import_plan", "i", "Import…", show=True),
    _key("tasks.run_again", "R", "Take up again", show=True),
    _key("tasks.run_from", "R", "Run from here", show=True),
    _key("tasks.edit_task", "e", "Edit…", show=True),
    _key("tasks.mark", "space", "Mark", show=True, priority=True),
    _key("tasks.hold", "h", "Hold"),
    _key("tasks.add_full", "N", "New, in full…"),
    _key("tasks.edit_outside", "ctrl+g", "Edit in $EDITOR"),
    _key("tasks.depend", "D", "Waits for…"),
    _key("tasks.undo_plan", "z", "Undo"),
    _key("tasks.release", "h", "Release"),
    _key("tasks.move_up", "K", "Move up"),
    _key("tasks.move_down", "J", "Move down"),
    _key("tasks.remove_task", "d", "Take out…"),
    _key("tasks.cancel_task", "x", "Cancel task…"),
    _key("tasks.go_back", "escape", "Back"),
    _key("gates.open_gate", "enter,g", "Review", show=True),
    _key("gates.go_back", "escape", "Back", show=True),
    _key("history.open_item", "enter", "Open", show=True, priority=True),
    _key("history.find", "slash", "Search", show=True),
    _key("history.go_up", "backspace,escape", "Back"),
    _key("history.mark", "space", "Mark", show=True, priority=True),
    _key("history.compare", "equals_sign", "Compare", show=True),
    _key("history.copy", "y", "Copy…", show=True, priority=True),
    _key("history.export", "x", "Export…", show=True),
    _key("history.replay", "p", "Replay"),
    _key("history.more_like", "m", "More like this…"),
    _key("history.pin", "asterisk", "Pin or unpin"),
    _key("history.tag", "t", "Tags…"),
    _key("history.import_sessions", "i", "Import…"),
    _key("history.complete", "tab", "Complete", show=True, priority=True),
    _key("history.reload", "f5", "Reload"),
    _key("attempt.next_page", "tab", "Next page", show=True),
    _key("attempt.previous_page", "shift+tab", "Previous page"),
    _key("attempt.diff", "d", "Diff"),
    _key("attempt.next_attempt", "right_square_bracket", "Next attempt", show=True, priority=True),
    _key("attempt.previous_attempt", "left_square_bracket", "Previous attempt", priority=True),
    _key("attempt.next_hunk", "right_curly_bracket", "Next hunk"),
    _key("attempt.previous_hunk", "left_curly_bracket", "Previous hunk"),
    _key("attempt.find", "slash", "Find", show=True),
    _key("attempt.copy", "y", "Copy…", show=True, priority=True),
    _key("attempt.export", "x", "Export…", show=True),
    _key("attempt.replay", "p", "Replay", show=True),
    _key("attempt.compare", "equals_sign", "Compare with the one before"),
    _key("attempt.next_prompt", "u", "Next prompt"),
    _key("attempt.previous_prompt", "U", "Previous prompt"),
    _key("attempt.next_error", "exclamation_mark", "Next error"),
    _key("attempt.more_like", "m", "More like this…"),
    _key("attempt.pin", "asterisk", "Pin or unpin"),
    _key("attempt.tag", "t", "Tags…"),
    _key("attempt.leave", "escape,backspace", "Back", show=True),
    _key("replay.play", "space,p", "Play or hold", show=True, priority=True),
    _key("replay.speed", "s", "Speed", show=True),
    _key("replay.step", "full_stop", "Step", show=True),
    _key("replay.next_gate", "n", "Next gate", show=True),
    _key("replay.next_error", "exclamation_mark", "Next error", show=True),
    _key("replay.next_edit", "e", "Next edit", show=True),
    _key("replay.finish", "E", "To the end"),
    _key("replay.rewind", "b", "From the beginning"),
    _key("replay.raw", "v", "Raw or rendered"),
    _key("replay.zoom", "plus,equals_sign", "Zoom"),
    _key("replay.unzoom", "minus", "Unzoom"),
    _key("replay.find", "slash", "Find"),
    _key("replay.next_task", "J,right_curly_bracket", "Next task"),
    _key("replay.previous_task", "K,left_curly_bracket", "Previous task"),
    _key("replay.leave", "escape,backspace", "Back", show=True),
    *(_key(f"replay.{name}", keys, label) for name, keys, label in _PANES),
    _key("compare.next_view", "v", "Other view", show=True, priority=True),
    _key("compare.pick_winner", "w", "Pick winner…", show=True, priority=True),
    _key("compare.blind", "b", "Blind", show=True),
    _key("compare.swap", "x", "Swap", show=True),
    _key("compare.find", "slash", "Find"),
    _key("compare.next_pane", "tab", "Next pane"),
    _key("compare.leave", "escape,backspace", "Back", show=True),
    _key("compare_sessions.open_pair", "enter", "Compare attempts", show=True, priority=True),
    _key("compare_sessions.pick_winner", "w", "Pick winner…", show=True, priority=True),
    _key("compare_sessions.blind", "b", "Blind", show=True),
    _key("compare_sessions.swap", "x", "Swap", show=True),
    _key("compare_sessions.next_pane", "tab", "Next pane"),
    _key("compare_sessions.leave", "escape,backspace", "Back", show=True),
    _key("metrics.shorter", "left_square_bracket", "Shorter"),
    _key("metrics.longer", "right_square_bracket", "Longer", show=True),
    _key("metrics.group", "b", "By…", show=True),
    _key("metrics.as_table", "d", "Table", show=True),
    _key("metrics.drill", "enter", "Rows", show=True),
    _key("metrics.save", "x", "CSV…", show=True),
    _key("metrics.explain", "e", "SQL", show=True),
    _key("metrics.rehearsals", "r", "Rehearsals", show=True),
    _key("metrics.go_back", "escape", "Back"),
    _key("judge.say_good", "g", "Good work", show=True),
    _key("judge.say_bad", "b", "Bad work…", show=True),
    _key("judge.acknowledge", "a", "Seen why it was lost", show=True),
    _key("judge.rehearsals", "r", "Rehearsals", show=True),
    _key("judge.reload", "f5", "Reload", show=True),
    _key("judge.go_back", "escape", "Back", show=True),
    _key("setup.check_again", "r,f5", "Check again", show=True),
    _key("setup.copy_fix", "y", "Copy command", show=True),
    _key("setup.start_demo", "d", "Demo run", show=True),
    _key("setup.show_settings", "f", "Settings", show=True),
    _key("setup.edit_setting", "E", "Edit file", show=True),
    _key("setup.next_pane", "tab", "Next pane"),
    _key("setup.go_back", "escape", "Back", show=True),
)

BY_ID: Mapping[str, Key] = {key.id: key for key in KEYS}

NEVER_GRANTS = frozenset(
    {"enter", "return", "ctrl+m", "ctrl+j", "newline", "space", "escape", "ctrl+left_square_bracket", "tab"}
    | {"ctrl+i", "backspace", "y", "Y", "upper_y", *"0123456789"}
)
"""Keys that people press by habit, or that a paste contains: they never say yes to anything."""

_ALIASES = {" ": "space", "esc": "escape", "ctrl+[": "ctrl+left_square_bracket", "?": "question_mark"}
_ALTERNATIVES = (
    {"live.pause", "live.resume_run"},
    {"tasks.run_again", "tasks.run_from"},
    {"tasks.hold", "tasks.release"},
    {"app.undo", "app.revert"},
    {"tasks.undo_plan", "app.undo"},
    {"tasks.undo_plan", "app.revert"},
)
"""Bindings that share a key on purpose: only one of them is there at a time."""


def _refusal(what: str, *, where: str, fix: str) -> ConfigError:
    """Imported when it is needed: the first paint imports this module."""
    from obra_tui.core.errors import ConfigError

    return ConfigError(what, where=where, fix=fix)


def of_scope(scope: str) -> tuple[Key, ...]:
    return tuple(key for key in KEYS if key.scope == scope)


def keys_of(key_id: str, overrides: Mapping[str, str]) -> str:
    return overrides.get(key_id, BY_ID[key_id].keys)


def check_overrides(overrides: Mapping[str, str], where: str = "[keys]") -> dict[str, str]:
    """Return the overrides with tidy key names, or raise `ConfigError` naming the line to change."""
    tidy = {key_id: _tidy(key_id, keys, where) for key_id, keys in overrides.items()}
    for key_id, keys in tidy.items():
        if BY_ID[key_id].grants:
            _refuse_habits(key_id, keys, where)
    _refuse_clashes(tidy, where)
    return tidy


def _tidy(key_id: str, keys: str, where: str) -> str:
    if key_id not in BY_ID:
        from obra_tui.core.text import closest_match

        near = closest_match(key_id, BY_ID)
        hint = f"Did you mean '{near}'?" if near else f"Known are: {', '.join(sorted(BY_ID))}."
        raise _refusal(f"There is no key '{key_id}'.", where=where, fix=hint)
    names = [_ALIASES.get(part.strip() or part, part.strip()) for part in keys.split(",")]
    if not all(names):
        raise _refusal(f"'{key_id}' names no key.", where=where, fix='Write a key such as "a" or "ctrl+a".')
    return ",".join(names)


def _refuse_habits(key_id: str, keys: str, where: str) -> None:
    for name in keys.split(","):
        if name in NEVER_GRANTS:
            raise _refusal(
                f"'{name}' cannot be '{key_id}': it is pressed by habit, and this key says yes.",
                where=where,
                fix="Choose a letter of its own, other than y.",
            )


def _refuse_clashes(overrides: Mapping[str, str], where: str) -> None:
    for scope in {key.scope for key in KEYS}:
        taken: dict[str, str] = {}
        for key in (*of_scope(scope), *(of_scope("app") if scope != "app" else ())):
            for name in keys_of(key.id, overrides).split(","):
                other = taken.setdefault(name, key.id)
                if other != key.id and {other, key.id} not in _ALTERNATIVES:
                    raise _refusal(
                        f"'{name}' is both '{other}' and '{key.id}'.",
                        where=where,
                        fix="Give one of them another key.",
                    )
