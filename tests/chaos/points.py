"""The named places at which Obra is killed: before, within and after the transaction of each step, and between."""

STEPS = (
    "session_opened", "task_added", "run_started", "copy_prepared", "moved_implementing", "attempt_started",
    "prompt_sent", "claude_started", "text_streamed", "claude_ended", "diff_taken", "moved_checking", "work_kept",
    "checks_planned", "check_started", "check_finished", "moved_judging", "verdict_reached", "gate_judged",
    "moved_awaiting_human", "gate_opened", "decision_made", "moved_accepting", "work_accepted", "moved_accepted",
    "run_finished", "session_closed",
)  # fmt: skip
BETWEEN = ("accepting.committed", "accepting.handed_over", "accepting.branch_moved", "accepting.recorded")
ALL = (*(f"{when}.{step}" for step in STEPS for when in ("before", "within", "after")), *BETWEEN)

SOME = (
    "after.session_opened", "after.copy_prepared", "within.attempt_started", "after.prompt_sent",
    "after.text_streamed", "before.claude_ended", "within.diff_taken", "after.check_started",
    "before.verdict_reached", "within.gate_opened", "after.decision_made", *BETWEEN, "within.work_accepted",
)  # fmt: skip
"""One of each kind: what every run of the tests does."""

IN_RECOVERY = ("recovering.read", "recovering.marked", "within.moved_interrupted", "after.moved_interrupted")
IN_SECOND_ACCEPTANCE = ("accepting.branch_moved", "within.work_accepted", "after.work_accepted")
