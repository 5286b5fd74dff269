"""Every setting, its type, range and default. The docstrings are the comments of `config.toml`.

These are the plain values that everybody works with. `pydantic_schema` makes of them the shape by which pydantic reads
and checks what a person wrote; the settings of the screen are in `early`, which reads them before all others.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field
from platformdirs import user_data_path

from obra_tui.config.addresses import plain_address
from obra_tui.config.early import Section, UiSettings, absolute
from obra_tui.core.model import Budget, CheckSpec, Policy, Stage
from obra_tui.notices.notice import NoticeKind
from obra_tui.system.limits import Limits, usual_memory_mb


class ValueRule(Struct, frozen=True):
    """What a value must keep to beyond its type: returns it as it is kept, or raises `ValueError` with the reason."""

    of: Callable[[Any], Any]


class Secret(Struct, frozen=True):
    """A text that is never shown."""

    _text: str = ""

    def get_secret_value(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret('********')" if self._text else "Secret('')"


# --- rules ---------------------------------------------------------------------------------------


def _given(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def _something_counts(weights: "Weights") -> "Weights":
    if not any((weights.syntax, weights.testing, weights.requirements, weights.quality)):
        raise ValueError("at least one weight must be greater than 0")
    return weights


def _whole_paths(value: tuple[str, ...]) -> tuple[str, ...]:
    for path in value:
        if not path.startswith(("/", "~/")):
            raise ValueError(f"'{path}' must begin with / or ~/")
    return value


def _inner_paths(value: tuple[str, ...]) -> tuple[str, ...]:
    for path in value:
        if path.startswith(("/", "~")) or ".." in path.split("/") or path.split("/")[0] == ".git":
            raise ValueError(f"'{path}' must be a path inside the project")
    return value


def _own_folder() -> Path:
    return user_data_path("obra")


def _unique_names(value: "tuple[CheckSettings, ...]") -> "tuple[CheckSettings, ...]":
    names = [check.name for check in value]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise ValueError(f"two checks are called '{double}'")
    return value


# --- settings ------------------------------------------------------------------------------------


class ClaudeSettings(Section, frozen=True, kw_only=True):
    """How Claude Code is started. What is empty or 0 is left to Claude Code, or is no limit."""

    base_url: Annotated[str, ValueRule(plain_address)] = ""
    """Address of the Messages API; empty = Anthropic's own."""
    api_key: Secret = Secret()
    """API key; empty = ANTHROPIC_API_KEY or the login of Claude Code. Not in a project file."""
    model: str = ""
    """Model that Claude Code uses, such as "opus" or a full model id; empty = its own default."""
    cli_path: str = ""
    """Another Claude Code program; empty = the one that was installed with Obra."""
    config_dir: str = ""
    """Claude Code's own folder (CLAUDE_CONFIG_DIR); empty = the one you use by hand, with its login."""
    max_turns: Annotated[int, Meta(ge=0)] = 100
    """Turns of one run of Claude Code; 0 = no limit."""
    max_budget_usd: Annotated[float, Meta(ge=0)] = 5.0
    """Estimated cost of one run of Claude Code in US dollars; 0 = no limit."""
    max_retries: Annotated[int, Meta(ge=0, le=100)] = 6
    """How often Claude Code tries a failed API request again."""
    allow: tuple[str, ...] = ()
    """More commands that Claude may run without asking, each as a prefix: ["just test"] allows `just test -q`.
    Those that only look, test, lint or build are allowed already."""
    sandbox: Literal["auto", "required", "off"] = "auto"
    """"auto" = Claude Code and all it starts run confined by bubblewrap where that works, and it is said where not;
    "required" = otherwise it is not started; "off" = it runs with your rights."""
    network: Literal["all", "api"] = "all"
    """"api" = confined, it reaches the API and the package registries of the project's kind, and nothing else."""
    trust_project_settings: bool = False
    """Let Claude Code read the project's CLAUDE.md and .claude/settings.json. Its hooks are commands
    that then run on this machine."""
    hold_prompts: bool = False
    """Show every prompt to you in the app before Claude gets it: read it, change it, send it."""
    wait_for_limit_s: Annotated[float, Meta(ge=0)] = 21600.0
    """How long to wait at most for a usage limit to reset before the task is given back to you."""
    silence_warn_s: Annotated[float, Meta(gt=0)] = 60.0
    """Say so when nothing has come from Claude Code for this long."""
    silence_kill_s: Annotated[float, Meta(gt=0)] = 600.0
    """Take a silent run for hung and end it after this long. Waiting for your answer does not count."""


class JudgeSettings(Section, frozen=True, kw_only=True):
    """The local model that reviews the diff."""

    base_url: Annotated[str, ValueRule(plain_address), ValueRule(_given)] = "http://127.0.0.1:11434"
    """Address of the model server, without a path."""
    model: Annotated[str, ValueRule(_given)] = "qwen2.5-coder:32b"
    """Model as the server names it."""
    answers_as: str = ""
    """Another name under which the server may answer for that model: an alias, or the path of its file."""
    think: Literal["auto", "on", "off"] = "auto"
    """"on" = the model may think before it answers, with judge.think_tokens more; "auto" and "off" = it may not, where
    the server can be told ("off" tells it to servers of the dialect "openai", too)."""
    think_tokens: Annotated[int, Meta(ge=256)] = 8192
    """Longest thinking, beside the answer."""
    dialect: Literal["ollama", "openai"] = "ollama"
    """"ollama" = /api/chat; "openai" = /v1/chat/completions (llama.cpp, vLLM, LM Studio)."""
    api_key: Secret = Secret()
    """Bearer key if the server wants one. Not in a project file."""
    num_ctx: Annotated[int, Meta(ge=2048)] = 16384
    """Context window in tokens; a larger diff is judged in parts."""
    max_output_tokens: Annotated[int, Meta(ge=256)] = 2048
    """Longest answer; an answer that is cut there is no verdict."""
    deadline_s: Annotated[float, Meta(gt=0)] = 600.0
    """Longest time for one answer, loading the model included; a large change is reviewed in several answers."""
    connect_timeout_s: Annotated[float, Meta(gt=0)] = 5.0
    """Longest time to reach the server."""
    probe_minutes: Annotated[float, Meta(ge=0, le=1440)] = 0.0
    """While nothing else is to be done, ask the judge about kept cases for its record, for so many minutes a day
    at most; 0 = never. Work goes first."""


class Weights(Section, frozen=True, kw_only=True):
    """What each stage weighs in the score."""

    syntax: Annotated[float, Meta(ge=0)] = 0.20
    testing: Annotated[float, Meta(ge=0)] = 0.20
    requirements: Annotated[float, Meta(ge=0)] = 0.30
    quality: Annotated[float, Meta(ge=0)] = 0.30

    def pairs(self) -> tuple[tuple[Stage, float], ...]:
        return tuple((stage, float(getattr(self, stage.value))) for stage in Stage)


class GateSettings(Section, frozen=True, kw_only=True):
    """The rule that turns evidence into pass, retry or a question to you."""

    policy: Policy = Policy.SUPERVISED
    """"manual" = you decide everything; "supervised" = failing work is sent back on its own, you approve
    what would pass; "autonomous" = complete and good evidence passes on its own."""
    threshold: Annotated[float, Meta(ge=0, le=1)] = 0.70
    """Lowest score that can pass, from 0.0 to 1.0."""
    judged_floor: Annotated[float, Meta(ge=0, le=1)] = 0.70
    """Lowest score that each of the judge's stages, requirements and quality, must have alone."""
    trust: Literal["given", "record"] = "given"
    """Under the autonomous policy: "given" = the judge is trusted, unmeasured; "record" = it passes work only as far
    as its record in this project allows (`obra judge`)."""
    false_pass_limit: Annotated[float, Meta(ge=0.01, le=0.5)] = 0.10
    """Largest share of bad work among unattended passes that a judge's record must exclude."""
    max_attempts: Annotated[int, Meta(ge=1, le=100)] = 3
    """Attempts at one task before you are asked."""
    undo_s: Annotated[float, Meta(ge=0, le=3600)] = 10.0
    """Seconds in which your answer in the app can be undone before it is carried out; 0 = at once."""
    other_approver: bool = False
    """true = whoever asked for a task, changed it or worked on it by hand cannot approve it: another person must.
    People are told apart by their logins; policies that pass work by themselves are not affected."""
    friction: bool = True
    """After three approvals in a row that took you under three seconds each, the next gate shows its score only
    when you have read on in the diff."""
    weights: Annotated[Weights, ValueRule(_something_counts)] = Weights()


class BudgetSettings(Section, frozen=True, kw_only=True):
    """What may be used before Obra stops and asks you; 0 = no limit. Going on begins the budget anew."""

    task_usd: Annotated[float, Meta(ge=0)] = 0.0
    """Estimated cost of one task, all its attempts together, in US dollars."""
    task_tokens: Annotated[int, Meta(ge=0)] = 0
    """Tokens of one task, those that were read from the cache included."""
    task_seconds: Annotated[float, Meta(ge=0)] = 0.0
    """Time in which Claude Code works on one task."""
    session_usd: Annotated[float, Meta(ge=0)] = 0.0
    """Estimated cost of all tasks of a session."""
    session_tokens: Annotated[int, Meta(ge=0)] = 0
    """Tokens of all tasks of a session."""
    session_seconds: Annotated[float, Meta(ge=0)] = 0.0
    """Time in which Claude Code works on all tasks of a session."""

    def of_task(self) -> Budget:
        return _budget(self.task_usd, self.task_tokens, self.task_seconds)

    def of_session(self) -> Budget:
        return _budget(self.session_usd, self.session_tokens, self.session_seconds)


def _budget(usd: float, tokens: int, seconds: float) -> Budget:
    return Budget(max_cost_usd=usd or None, max_tokens=tokens or None, max_seconds=seconds or None)


class CheckSettings(Section, frozen=True, kw_only=True):
    """A command that Obra runs on the work. With one or more of them Obra does not look for others."""

    name: Annotated[str, Meta(min_length=1)]
    run: Annotated[str, Meta(min_length=1)]
    """Shell command line, run in the root of the copy."""
    stage: Literal["syntax", "testing"] = "testing"
    """Stage that the result counts for."""
    blocking: bool = True
    """Work that fails it cannot pass."""
    timeout_s: Annotated[float, Meta(gt=0)] = 600.0

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


class WorkspaceSettings(Section, frozen=True, kw_only=True):
    """The isolated copy that Claude Code works in."""

    setup: tuple[str, ...] = ()
    """Commands that make what the project needs to run, such as "uv sync" or "npm ci": once, for all copies.
    `obra doctor` proposes them, `obra doctor --write` puts them here."""
    include: Annotated[tuple[str, ...], ValueRule(_inner_paths)] = ()
    """Ignored files of your checkout that copies need, such as [".env.test"]. Claude can read them, and so can
    every check; what they hold may be stored."""
    protected: tuple[str, ...] = ()
    """More paths (globs) that work must not change without you, beside existing tests, CI and Obra's settings;
    "!docs/*" takes paths out again."""
    update_plan: bool = False
    """Tick accepted tasks in the plan file that a session was made from; nothing else in it is changed."""
    keep_copies: bool = False
    """Keep the copy of a finished task on the disk. Its content is kept as a git ref in any case."""


class SandboxSettings(Section, frozen=True, kw_only=True):
    """How checks are kept away from the machine."""

    level: Literal["auto", "required"] = "auto"
    """"auto" = the best that works here, and say which; "required" = without bubblewrap no check is run."""
    readable: Annotated[tuple[str, ...], ValueRule(_whole_paths)] = ()
    """Folders in your home that checks may read and not change, such as a tool's cache: ["~/.cache/tool"].
    They see nothing else of it. Keep logins out of them: a check runs what Claude wrote."""
    memory_mb: Annotated[int, Meta(ge=0, le=100_000_000)] = 0
    """What a check or a set-up and all its processes may use of memory together, in MB; 0 = seven tenths of the
    machine's. What passes this limit or one of the next is ended, and the limit is named."""
    processes: Annotated[int, Meta(ge=0, le=1_000_000)] = 2_000
    """How many processes it may run at once; 0 = any number."""
    disk_mb: Annotated[int, Meta(ge=0, le=100_000_000)] = 20_000
    """What it may write to the disk beside the set-up's own products, in MB; 0 = any amount."""
    output_mb: Annotated[int, Meta(ge=0, le=1_000_000)] = 500
    """What it may print, in MB; 0 = any amount. Of that the beginning and the end are kept."""

    def limits(self) -> Limits:
        return Limits(
            memory_mb=self.memory_mb or usual_memory_mb(),
            processes=self.processes,
            disk_mb=self.disk_mb,
            output_mb=self.output_mb,
        )

    def readable_paths(self) -> tuple[Path, ...]:
        return tuple(Path(path).expanduser() for path in self.readable)


class NotifySettings(Section, frozen=True, kw_only=True):
    """Notices to where you are, of every run, with a screen or without. Not in a project file."""

    channels: Secret = Secret()
    """Addresses in the notation of Apprise, separated by spaces, such as "ntfy://my-topic slack://…" (with the extra
    obra-tui[notify]). `obra notify test` tries them. A command of your own is ui.notify_command."""
    kinds: tuple[NoticeKind, ...] = tuple(NoticeKind)
    """What is worth a notice: "waiting" for you, "finished", "stopped" by a problem, "budget" or a limit reached,
    "judge" = the judge may do more or less than before."""
    titles: bool = False
    """true = the titles of tasks are in notices, too; code and what a model wrote never are."""


class WebSettings(Section, frozen=True, kw_only=True):
    """Gates in a browser (`obra web`, with the extra obra-tui[web]). Not in a project file."""

    host: Annotated[str, ValueRule(_given)] = "127.0.0.1"
    """Address to listen at. One that others reach needs tls_cert and tls_key, or a proxy."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 8765
    """Port to listen at; 0 = one that is free."""
    public_url: Annotated[str, ValueRule(plain_address)] = ""
    """Address under which a browser reaches it, such as "https://obra.example.org"; empty = host and port. Notices
    lead there."""
    proxy: str = ""
    """Address of the one proxy that passes requests on, such as "127.0.0.1"; it must set X-Forwarded-For. Nobody
    else is answered then."""
    tls_cert: str = ""
    """File with the certificate, for TLS without a proxy."""
    tls_key: str = ""
    """File with its key."""
    session_hours: Annotated[float, Meta(gt=0, le=744)] = 12.0
    """A login ends when it was not used for so long, and after seven times as long in any case."""


class ForgeSettings(Section, frozen=True, kw_only=True):
    """Pull requests (`obra pr`) and issues. Tokens are read from the environment, the forge's own login or git's; never
    from here. Not in a project file."""

    kind: Literal["auto", "github", "forgejo", "gitlab"] = "auto"
    """What the forge is; "auto" = by the name of its host. Gitea is a "forgejo"."""
    url: Annotated[str, ValueRule(plain_address)] = ""
    """Address of its API; empty = by the host of the remote."""
    remote: Annotated[str, ValueRule(_given)] = "origin"
    """The git remote that branches are pushed to."""
    base: str = ""
    """Branch that pull requests go to; empty = the default one of the forge."""
    labels: tuple[str, ...] = ()
    """Labels that each pull request gets."""
    issues: bool = False
    """true = `obra task import --issue` and `--label` may bring in issues, which anybody may have written."""
    ci_back: bool = False
    """true = `obra pr SESSION --ci` may make red checks and comments, which anybody may have written, into a task."""
    ci_rounds: Annotated[int, Meta(ge=0, le=100)] = 3
    """How many tasks of one session may come from its pull request."""


class DatabaseSettings(Section, frozen=True, kw_only=True):
    """Where the sessions are kept."""

    url: str = ""
    """Address of a PostgreSQL database, such as "postgresql+psycopg://ada@db/obra" (with the
    extra obra-tui[postgresql]);
    empty = SQLite in the data directory. Not in a project file."""


class FleetSettings(Section, frozen=True, kw_only=True):
    """Work on several hosts: this Obra hands the stages of attempts to workers (`obra worker`). Needs database.url on
    PostgreSQL, and the extra obra-tui[fleet]. Not in a project file."""

    enabled: bool = False
    """true = hand work out to workers; `obra coordinator` does so without it."""
    labels: tuple[str, ...] = ()
    """What a worker must offer to get work, such as ["linux", "gpu"]."""
    lease_s: Annotated[float, Meta(ge=2, le=3600)] = 30.0
    """How long a worker may be silent before its work is given to another one."""
    checkpoint_s: Annotated[float, Meta(ge=0.5, le=3600)] = 10.0
    """How often a worker stores the files that Claude Code is working on."""
    blob_mb: Annotated[int, Meta(ge=1, le=1000)] = 256
    """Largest bundle of code that goes through the database."""


class Origin(Struct, frozen=True, kw_only=True):
    """One setting, its value as text (secrets masked) and where the value came from."""

    key: str
    value: str
    source: str
    """`default`, `flag`, `OBRA_JUDGE__MODEL` or `config.toml:12`."""


class Settings(Section, frozen=True, kw_only=True):
    """All settings in force; made by `obra_tui.config.load.load`."""

    data_dir: Annotated[Path, ValueRule(absolute)] = field(default_factory=_own_folder)
    """Folder of the database, the copies and the logs. Also as OBRA_DATA_DIR. Not in a project file."""
    claude: ClaudeSettings = ClaudeSettings()
    judge: JudgeSettings = JudgeSettings()
    gate: GateSettings = GateSettings()
    budget: BudgetSettings = BudgetSettings()
    checks: Annotated[tuple[CheckSettings, ...], ValueRule(_unique_names)] = ()
    workspace: WorkspaceSettings = WorkspaceSettings()
    sandbox: SandboxSettings = SandboxSettings()
    ui: UiSettings = UiSettings()
    keys: dict[str, str] = field(default_factory=dict)
    """Keys of your own, such as `"review.approve" = "ctrl+a"`; `obra keys` lists the names. Not in a project file."""
    database: DatabaseSettings = DatabaseSettings()
    notify: NotifySettings = NotifySettings()
    fleet: FleetSettings = FleetSettings()
    web: WebSettings = WebSettings()
    forge: ForgeSettings = ForgeSettings()

    def check_specs(self) -> tuple[CheckSpec, ...]:
        return tuple(check.spec() for check in self.checks)


class InForce(Settings, frozen=True, kw_only=True):
    """Settings that were read, with the place of each."""

    origins: tuple[Origin, ...] = ()


def leaves(section: Section, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values(section):
        if isinstance(value, Section):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def values(section: Section) -> Iterator[tuple[str, Any]]:
    """Yield what a section holds; where it came from is no part of the settings."""
    names = Settings.__struct_fields__ if isinstance(section, Settings) else section.__struct_fields__
    return ((name, getattr(section, name)) for name in names)
