"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _session() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False, server_default=""),
        sa.Column("project", sa.Text(), nullable=False, server_default=""),
        sa.Column("branch", sa.Text(), nullable=False, server_default=""),
        sa.Column("base_commit", sa.Text(), nullable=False, server_default=""),
        sa.Column("policy", sa.String(16), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("rehearsal", sa.Text(), nullable=False, server_default=""),
        sa.Column("plan_source", sa.Text(), nullable=False, server_default=""),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("closed_at", sa.Float()),
        sa.Column("close_reason", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
    )
    op.create_index("ix_session_newest", "session", ["opened_at", "id"])
    op.create_index(
        "ix_session_open",
        "session",
        ["id"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("task", sa.String(64)),
        sa.Column("attempt", sa.String(64)),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("streamed", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_event_session", deferrable=True),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
    )
    op.create_index(
        "ix_event_attempt",
        "event",
        ["attempt", "seq"],
        sqlite_where=sa.text("streamed = 0"),
        postgresql_where=sa.text("NOT streamed"),
    )
    op.create_index(
        "ix_event_kept",
        "event",
        ["session", "seq"],
        sqlite_where=sa.text("streamed = 0"),
        postgresql_where=sa.text("NOT streamed"),
    )
    op.create_index("uq_event_place", "event", ["session", "seq"], unique=True)


def _task() -> None:
    op.create_table(
        "task",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, server_default=""),
        sa.Column("title", sa.Text(), nullable=False, server_default=""),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.Column("copy_path", sa.Text(), nullable=False, server_default=""),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_task_session"),
        sa.PrimaryKeyConstraint("id", name="pk_task"),
    )
    op.create_index("ix_task_session", "task", ["session", "position"])


def _version() -> None:
    op.create_table(
        "version",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("version", sa.Text(), nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_version_session"),
        sa.PrimaryKeyConstraint("session", "name", name="pk_version"),
    )


def _attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float()),
        sa.Column("outcome", sa.String(24)),
        sa.Column("detail", sa.Text(), nullable=False, server_default=""),
        sa.Column("duration_s", sa.Float()),
        sa.Column("score", sa.Float()),
        sa.Column("passes", sa.Boolean()),
        sa.Column("gate_decision", sa.String(8)),
        sa.Column("decision", sa.String(16)),
        sa.Column("decided_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("claude_model", sa.Text(), nullable=False, server_default=""),
        sa.Column("judge_model", sa.Text(), nullable=False, server_default=""),
        sa.Column("kept_ref", sa.Text(), nullable=False, server_default=""),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("cache_read_tokens", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("cache_write_tokens", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("turns", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("cost_usd", sa.Float(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_attempt_session"),
        sa.ForeignKeyConstraint(["task"], ["task.id"], name="fk_attempt_task"),
        sa.PrimaryKeyConstraint("id", name="pk_attempt"),
        sa.UniqueConstraint("task", "number", name="uq_attempt_task_number"),
    )
    op.create_index("ix_attempt_newest", "attempt", ["started_at", "id"])
    op.create_index("ix_attempt_session", "attempt", ["session"])


def _acceptance() -> None:
    op.create_table(
        "acceptance",
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("attempt", sa.String(64), nullable=False),
        sa.Column("commit", sa.String(64), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False, server_default=""),
        sa.Column("repeated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"], name="fk_acceptance_attempt"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_acceptance_session"),
        sa.ForeignKeyConstraint(["task"], ["task.id"], name="fk_acceptance_task"),
        sa.PrimaryKeyConstraint("task", name="pk_acceptance"),
    )
    op.create_index("ix_acceptance_attempt", "acceptance", ["attempt"])


def _check_result() -> None:
    op.create_table(
        "check_result",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("attempt", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, server_default=""),
        sa.Column("command", sa.Text(), nullable=False, server_default=""),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("blocking", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("duration_s", sa.Float(), nullable=False),
        sa.Column("passed", sa.Integer()),
        sa.Column("failed", sa.Integer()),
        sa.Column("skipped", sa.Integer()),
        sa.Column("sandbox", sa.String(16), nullable=False),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"], name="fk_check_result_attempt"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_check_result_session"),
        sa.ForeignKeyConstraint(["task"], ["task.id"], name="fk_check_result_task"),
        sa.PrimaryKeyConstraint("session", "seq", name="pk_check_result"),
    )
    op.create_index("ix_check_result_attempt", "check_result", ["attempt"])


def _claude_session() -> None:
    op.create_table(
        "claude_session",
        sa.Column("attempt", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("reported", sa.Boolean(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False, server_default=""),
        sa.Column("version", sa.Text(), nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"], name="fk_claude_session_attempt"),
        sa.PrimaryKeyConstraint("attempt", "id", name="pk_claude_session"),
    )
    op.create_index("ix_claude_session_id", "claude_session", ["id"])


def _diff() -> None:
    op.create_table(
        "diff",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("attempt", sa.String(64), nullable=False),
        sa.Column("tree", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"], name="fk_diff_attempt"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_diff_session"),
        sa.ForeignKeyConstraint(["task"], ["task.id"], name="fk_diff_task"),
        sa.PrimaryKeyConstraint("session", "seq", name="pk_diff"),
    )
    op.create_index("ix_diff_attempt", "diff", ["attempt"])


def _file_change() -> None:
    op.create_table(
        "file_change",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.String(64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False, server_default=""),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("protected", sa.Text(), nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"], name="fk_file_change_attempt"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_file_change_session"),
        sa.PrimaryKeyConstraint("session", "seq", "position", name="pk_file_change"),
    )
    op.create_index("ix_file_change_attempt", "file_change", ["attempt"])
    op.create_index("ix_file_change_path", "file_change", ["path"])


def _finding() -> None:
    op.create_table(
        "finding",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.String(64), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, server_default=""),
        sa.Column("file", sa.Text(), nullable=False, server_default=""),
        sa.Column("line", sa.Integer()),
        sa.Column("message", sa.Text(), nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"], name="fk_finding_attempt"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_finding_session"),
        sa.PrimaryKeyConstraint("session", "seq", "position", name="pk_finding"),
    )
    op.create_index("ix_finding_attempt", "finding", ["attempt"])


def _gate() -> None:
    op.create_table(
        "gate",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("attempt", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("closed_at", sa.Float()),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"], name="fk_gate_attempt"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_gate_session"),
        sa.ForeignKeyConstraint(["task"], ["task.id"], name="fk_gate_task"),
        sa.PrimaryKeyConstraint("id", name="pk_gate"),
    )
    op.create_index("ix_gate_attempt", "gate", ["attempt"])
    op.create_index(
        "ix_gate_open",
        "gate",
        ["opened_at", "id"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_gate_task", "gate", ["task"])


def _permission() -> None:
    op.create_table(
        "permission",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("attempt", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False, server_default=""),
        sa.Column("title", sa.Text(), nullable=False, server_default=""),
        sa.Column("answered_at", sa.Float()),
        sa.Column("verdict", sa.String(16)),
        sa.Column("by", sa.Text(), nullable=False, server_default=""),
        sa.Column("note", sa.Text(), nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"], name="fk_permission_attempt"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_permission_session"),
        sa.ForeignKeyConstraint(["task"], ["task.id"], name="fk_permission_task"),
        sa.PrimaryKeyConstraint("id", name="pk_permission"),
    )
    op.create_index("ix_permission_attempt", "permission", ["attempt"])


def _prompt() -> None:
    op.create_table(
        "prompt",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("attempt", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("by", sa.Text(), nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"], name="fk_prompt_attempt"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_prompt_session"),
        sa.ForeignKeyConstraint(["task"], ["task.id"], name="fk_prompt_task"),
        sa.PrimaryKeyConstraint("session", "seq", name="pk_prompt"),
    )
    op.create_index("ix_prompt_attempt", "prompt", ["attempt"])


def _quality() -> None:
    op.create_table(
        "quality",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("attempt", sa.String(64), nullable=False),
        sa.Column("overall", sa.Float(), nullable=False),
        sa.Column("syntax", sa.Float()),
        sa.Column("testing", sa.Float()),
        sa.Column("requirements", sa.Float()),
        sa.Column("quality", sa.Float()),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("passes", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(8), nullable=False),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"], name="fk_quality_attempt"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_quality_session"),
        sa.ForeignKeyConstraint(["task"], ["task.id"], name="fk_quality_task"),
        sa.PrimaryKeyConstraint("session", "seq", name="pk_quality"),
    )
    op.create_index("ix_quality_attempt", "quality", ["attempt"])


def _usage() -> None:
    op.create_table(
        "usage",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("attempt", sa.String(64), nullable=False),
        sa.Column("model", sa.Text(), nullable=False, server_default=""),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("cache_read_tokens", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("cache_write_tokens", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("turns", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("cost_usd", sa.Float(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"], name="fk_usage_attempt"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_usage_session"),
        sa.ForeignKeyConstraint(["task"], ["task.id"], name="fk_usage_task"),
        sa.PrimaryKeyConstraint("session", "seq", name="pk_usage"),
    )
    op.create_index("ix_usage_attempt", "usage", ["attempt"])


def _verdict() -> None:
    op.create_table(
        "verdict",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("attempt", sa.String(64), nullable=False),
        sa.Column("model", sa.Text(), nullable=False, server_default=""),
        sa.Column("digest", sa.Text(), nullable=False, server_default=""),
        sa.Column("rubric", sa.Text(), nullable=False, server_default=""),
        sa.Column("unjudged", sa.Text(), nullable=False, server_default=""),
        sa.Column("opinion", sa.Text(), nullable=False, server_default=""),
        sa.Column("hunks_total", sa.Integer(), nullable=False),
        sa.Column("hunks_seen", sa.Integer(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("duration_s", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"], name="fk_verdict_attempt"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_verdict_session"),
        sa.ForeignKeyConstraint(["task"], ["task.id"], name="fk_verdict_task"),
        sa.PrimaryKeyConstraint("session", "seq", name="pk_verdict"),
    )
    op.create_index("ix_verdict_attempt", "verdict", ["attempt"])


def _decision() -> None:
    op.create_table(
        "decision",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("attempt", sa.String(64), nullable=False),
        sa.Column("gate", sa.String(64)),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("by", sa.Text(), nullable=False, server_default=""),
        sa.Column("note", sa.Text(), nullable=False, server_default=""),
        sa.Column("override", sa.Boolean(), nullable=False),
        sa.Column("open_s", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.id"], name="fk_decision_attempt"),
        sa.ForeignKeyConstraint(["gate"], ["gate.id"], name="fk_decision_gate"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_decision_session"),
        sa.ForeignKeyConstraint(["task"], ["task.id"], name="fk_decision_task"),
        sa.PrimaryKeyConstraint("session", "seq", name="pk_decision"),
    )
    op.create_index("ix_decision_attempt", "decision", ["attempt"])
    op.create_index(
        "uq_decision_gate",
        "decision",
        ["gate"],
        unique=True,
        sqlite_where=sa.text("gate IS NOT NULL"),
        postgresql_where=sa.text("gate IS NOT NULL"),
    )


def upgrade() -> None:
    _session()
    _event()
    _task()
    _version()
    _attempt()
    _acceptance()
    _check_result()
    _claude_session()
    _diff()
    _file_change()
    _finding()
    _gate()
    _permission()
    _prompt()
    _quality()
    _usage()
    _verdict()
    _decision()
