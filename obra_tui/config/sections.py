"""Every setting, its type, range and default. The docstrings are the comments of `config.toml`."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, field_validator, model_validator

from obra_tui.core.model import Budget, CheckSpec, Policy, Stage


def _url(value: str) -> str:
    if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
        raise ValueError("must be a full address such as http://127.0.0.1:11434")
    return value.rstrip("/")


class Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True, defer_build=True
    )


class ClaudeSettings(Section):
    """How Claude Code is started. What is empty or 0 is left to Claude Code, or is no limit."""

    base_url: str = ""
    """Address of the Messages API; empty = Anthropic's own."""
    api_key: SecretStr = SecretStr("")
    """API key; empty = ANTHROPIC_API_KEY or the login of Claude Code. Not in a project file."""
    model: str = ""
    """Model that Claude Code uses, such as "opus" or a full model id; empty = its own default."""
    cli_path: str = ""
    """Another Claude Code program; empty = the one that was installed with Obra."""
    config_dir: str = ""
    """Claude Code's own folder (CLAUDE_CONFIG_DIR); empty = the one you use by hand, with its login."""
    max_turns: int = Field(default=100, ge=0)
    """Turns of one run of Claude Code; 0 = no limit."""
    max_budget_usd: float = Field(default=5.0, ge=0)
    """Estimated cost of one run of Claude Code in US dollars; 0 = no limit."""
    max_retries: int = Field(default=6, ge=0, le=100)
    """How often Claude Code tries a failed API request again."""
    allow: tuple[str, ...] = ()
    """More commands that Claude may run without asking, each as a prefix: ["just test"] allows `just test -q`.
    Those that only look, test, lint or build are allowed already. None of them runs in the sandbox of the checks."""
    trust_project_settings: bool = False
    """Let Claude Code read the project's CLAUDE.md and .claude/settings.json. Its hooks are commands
    that then run on this machine."""
    hold_prompts: bool = False
    """Show every prompt to you in the app before Claude gets it: read it, change it, send it."""
    wait_for_limit_s: float = Field(default=21600.0, ge=0)
    """How long to wait at most for a usage limit to reset before the task is given back to you."""
    silence_warn_s: float = Field(default=60.0, gt=0)
    """Say so when nothing has come from Claude Code for this long."""
    silence_kill_s: float = Field(default=600.0, gt=0)
    """Take a silent run for hung and end it after this long. Waiting for your answer does not count."""

    _check_url = field_validator("base_url")(_url)


class JudgeSettings(Section):
    """The local model that reviews the diff."""

    base_url: str = "http://127.0.0.1:11434"
    """Address of the model server, without a path."""
    model: str = "qwen2.5-coder:32b"
    """Model as the server names it."""
    dialect: Literal["ollama", "openai"] = "ollama"
    """"ollama" = /api/chat; "openai" = /v1/chat/completions (llama.cpp, vLLM, LM Studio)."""
    api_key: SecretStr = SecretStr("")
    """Bearer key if the server wants one. Not in a project file."""
    num_ctx: int = Field(default=16384, ge=2048)
    """Context window in tokens; a larger diff is judged in parts."""
    max_output_tokens: int = Field(default=2048, ge=256)
    """Longest answer; an answer that is cut there is no verdict."""
    deadline_s: float = Field(default=600.0, gt=0)
    """Longest time for the whole review of one attempt, loading the model included."""
    connect_timeout_s: float = Field(default=5.0, gt=0)
    """Longest time to reach the server."""

    _check_url = field_validator("base_url")(_url)

    @field_validator("base_url", "model")
    @classmethod
    def _given(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must not be empty")
        return value


class Weights(Section):
    """What each stage weighs in the score."""

    syntax: float = Field(default=0.20, ge=0)
    testing: float = Field(default=0.20, ge=0)
    requirements: float = Field(default=0.30, ge=0)
    quality: float = Field(default=0.30, ge=0)

    @model_validator(mode="after")
    def _something_counts(self) -> "Weights":
        if not any((self.syntax, self.testing, self.requirements, self.quality)):
            raise ValueError("at least one weight must be greater than 0")
        return self

    def pairs(self) -> tuple[tuple[Stage, float], ...]:
        return tuple((stage, float(getattr(self, stage.value))) for stage in Stage)


class GateSettings(Section):
    """The rule that turns evidence into pass, retry or a question to you."""

    policy: Policy = Policy.SUPERVISED
    """"manual" = you decide everything; "supervised" = failing work is sent back on its own, you approve
    what would pass; "autonomous" = complete and good evidence passes on its own."""
    threshold: float = Field(default=0.70, ge=0, le=1)
    """Lowest score that can pass, from 0.0 to 1.0."""
    max_attempts: int = Field(default=3, ge=1, le=100)
    """Attempts at one task before you are asked."""
    undo_s: float = Field(default=10.0, ge=0, le=3600)
    """Seconds in which your answer in the app can be undone before it is carried out; 0 = at once."""
    friction: bool = True
    """After three approvals in a row that took you under three seconds each, the next gate shows its score only
    when you have read on in the diff."""
    weights: Weights = Weights()


class BudgetSettings(Section):
    """What may be used before Obra stops and asks you; 0 = no limit. Going on begins the budget anew."""

    task_usd: float = Field(default=0.0, ge=0)
    """Estimated cost of one task, all its attempts together, in US dollars."""
    task_tokens: int = Field(default=0, ge=0)
    """Tokens of one task, those that were read from the cache included."""
    task_seconds: float = Field(default=0.0, ge=0)
    """Time in which Claude Code works on one task."""
    session_usd: float = Field(default=0.0, ge=0)
    """Estimated cost of all tasks of a session."""
    session_tokens: int = Field(default=0, ge=0)
    """Tokens of all tasks of a session."""
    session_seconds: float = Field(default=0.0, ge=0)
    """Time in which Claude Code works on all tasks of a session."""

    def of_task(self) -> Budget:
        return _budget(self.task_usd, self.task_tokens, self.task_seconds)

    def of_session(self) -> Budget:
        return _budget(self.session_usd, self.session_tokens, self.session_seconds)


def _budget(usd: float, tokens: int, seconds: float) -> Budget:
    return Budget(max_cost_usd=usd or None, max_tokens=tokens or None, max_seconds=seconds or None)


class CheckSettings(Section):
    """A command that Obra runs on the work. With one or more of them Obra does not look for others."""

    name: str = Field(min_length=1)
    run: str = Field(min_length=1)
    """Shell command line, run in the root of the copy."""
    stage: Literal["syntax", "testing"] = "testing"
    """Stage that the result counts for."""
    blocking: bool = True
    """Work that fails it cannot pass."""
    timeout_s: float = Field(default=600.0, gt=0)

    def spec(self) -> CheckSpec:
        return CheckSpec(
            name=self.name,
            run=self.run,
            stage=Stage(self.stage),
            blocking=self.blocking,
            timeout_s=self.timeout_s,
            origin="configured",
            junit="$OBRA_JUNIT" in self.run,
        )


class WorkspaceSettings(Section):
    """The isolated copy that Claude Code works in."""

    setup: tuple[str, ...] = ()
    """Commands that run once in every new copy, such as "uv sync" or "npm ci"."""
    protected: tuple[str, ...] = ()
    """More paths (globs) that work must not change without you, beside existing tests, CI and Obra's settings;
    "!docs/*" takes paths out again."""
    update_plan: bool = False
    """Tick accepted tasks in the plan file that a session was made from; nothing else in it is changed."""
    keep_copies: bool = False
    """Keep the copy of a finished task on the disk. Its content is kept as a git ref in any case."""


class SandboxSettings(Section):
    """How checks are kept away from the machine."""

    level: Literal["auto", "required"] = "auto"
    """"auto" = the best that works here, and say which; "required" = without bubblewrap no check is run."""
    readable: tuple[str, ...] = ()
    """Folders in your home that checks may read and not change, such as a tool's cache: ["~/.cache/tool"].
    They see nothing else of it. Keep logins out of them: a check runs what Claude wrote."""

    @field_validator("readable")
    @classmethod
    def _absolute(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for path in value:
            if not path.startswith(("/", "~/")):
                raise ValueError(f"'{path}' must begin with / or ~/")
        return value

    def readable_paths(self) -> tuple[Path, ...]:
        return tuple(Path(path).expanduser() for path in self.readable)


Theme = Literal[
    "obra-cb-dark", "obra-cb-light", "ansi-dark", "ansi-light", "atom-one-dark", "atom-one-light",
    "catppuccin-frappe", "catppuccin-latte", "catppuccin-macchiato", "catppuccin-mocha", "dracula", "flexoki",
    "gruvbox", "monokai", "nord", "rose-pine", "rose-pine-dawn", "rose-pine-moon", "solarized-dark",
    "solarized-light", "textual-dark", "textual-light", "tokyo-night",
]  # fmt: skip


class UiSettings(Section):
    """The screen. Not in a project file."""

    theme: Theme = "obra-cb-dark"
    """The two of Obra's own are made of colours that people with any common colour blindness can tell apart;
    "ansi-dark" and "ansi-light" take the terminal's own colours."""
    glyphs: Literal["unicode", "ascii"] = "unicode"
    """"ascii" for terminals and fonts without the symbols."""
    mouse: bool = True
    """false gives the terminal's own selection back."""
    reduce_motion: bool = False
    """true = nothing slides or blinks."""
    notify: Literal["auto", "bell", "off"] = "auto"
    """How you are told that something waits for you: by the terminal's notifications, by its bell, or not."""
    notify_command: str = ""
    """Shell command that is run besides, when you do not look: the words are in $OBRA_NOTICE, "waiting" or
    "finished" in $OBRA_NOTICE_KIND. Such as 'notify-send Obra "$OBRA_NOTICE"'."""


class DatabaseSettings(Section):
    """Where the sessions are kept."""

    url: str = ""
    """Address of a PostgreSQL database, such as "postgresql+psycopg://ada@db/obra" (with the
    extra obra-tui[postgresql]);
    empty = SQLite in the data directory. Not in a project file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One setting, its value as text (secrets masked) and where the value came from."""

    key: str
    value: str
    source: str
    """`default`, `flag`, `OBRA_JUDGE__MODEL` or `config.toml:12`."""


class Settings(Section):
    """All settings in force; made by `obra_tui.settings.load`."""

    data_dir: Path = Field(default_factory=lambda: user_data_path("obra"))
    """Folder of the database, the copies and the logs. Also as OBRA_DATA_DIR. Not in a project file."""
    claude: ClaudeSettings = ClaudeSettings()
    judge: JudgeSettings = JudgeSettings()
    gate: GateSettings = GateSettings()
    budget: BudgetSettings = BudgetSettings()
    checks: tuple[CheckSettings, ...] = ()
    workspace: WorkspaceSettings = WorkspaceSettings()
    sandbox: SandboxSettings = SandboxSettings()
    ui: UiSettings = UiSettings()
    keys: dict[str, str] = Field(default_factory=dict)
    """Keys of your own, such as `"review.approve" = "ctrl+a"`; `obra keys` lists the names. Not in a project file."""
    database: DatabaseSettings = DatabaseSettings()

    _origins: tuple[Origin, ...] = PrivateAttr(default=())

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return Path(os.path.abspath(value.expanduser()))  # noqa: PTH100 - resolve() would follow links

    @field_validator("checks")
    @classmethod
    def _unique_names(cls, value: tuple[CheckSettings, ...]) -> tuple[CheckSettings, ...]:
        names = [check.name for check in value]
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise ValueError(f"two checks are called '{double}'")
        return value

    def check_specs(self) -> tuple[CheckSpec, ...]:
        return tuple(check.spec() for check in self.checks)
