"""What a person may set about Claude Code, as one frozen value.

It knows neither where settings come from nor the SDK that uses them.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from obra_tui.agents.policy import DEFAULT_ALLOW

SettingSource = Literal["user", "project", "local"]
Sandbox = Literal["auto", "required", "off"]
Network = Literal["all", "api"]
Effort = Literal["low", "medium", "high", "xhigh", "max"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaudeConfig:
    """Settings of the implementer; `tmp_dir` is the only one without a default."""

    tmp_dir: Path
    """A folder of Obra's own, used as TMPDIR of the program; keep the path short, sockets are made in it."""
    data_dir: Path | None = None
    """Obra's own folder, which a confined program does not see."""
    project: Path | None = None
    """The person's repository, which a confined program does not see."""
    sandbox: Sandbox = "auto"
    """`auto` = confined where that works, `required` = else not started, `off` = with the person's rights."""
    network: Network = "all"
    """`api` = a confined program reaches the API and the project's package registries, nothing else."""
    cli_path: Path | None = None
    """Another Claude Code program than the one that comes with the SDK."""
    model: str = ""
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    """Reaches the program through its environment only. Empty = the person's own login."""
    config_dir: Path | None = None
    """CLAUDE_CONFIG_DIR; `None` = the person's own, so that their login and transcripts are found."""
    home: Path | None = None
    """HOME of the program; `None` = the person's own."""
    setting_sources: tuple[SettingSource, ...] = ()
    """Whose settings, hooks and CLAUDE.md are loaded. Empty = nobody's: a repository may carry hostile hooks."""
    allow: tuple[str, ...] = DEFAULT_ALLOW
    """Prefixes of shell commands that need no question."""
    pass_environment: tuple[str, ...] = ()
    """Names of further variables that the program may inherit."""
    extra_environment: tuple[tuple[str, str], ...] = ()
    """Variables set for the program, such as those of a gateway."""
    max_turns: int | None = None
    max_budget_usd: float | None = None
    max_retries: int = 10
    """How often Claude Code tries the API again by itself; 10 takes about three minutes."""
    effort: Effort | None = None
    start_timeout_s: float = 60.0
    silence_warn_s: float = 60.0
    silence_kill_s: float = 600.0
    exit_grace_s: float = 3.0
    """How long the program may take to leave after its work is done."""
    background_wait_s: float = 30.0
    """How long shell commands left in the background may hold up the end."""
