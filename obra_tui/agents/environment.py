"""The environment of the Claude Code program: built from an allow-list, never inherited whole.

Pure: values in, values out. Commands that Claude runs see the same environment, so nothing belongs in it that
the program does not need.
"""

from collections.abc import Mapping
from pathlib import Path

from obra_tui.agents.config import ClaudeConfig
from obra_tui.core.ids import AttemptId
from obra_tui.system.process_env import ATTEMPT_MARK

OWNER_MARK = "OBRA_OWNER"

INHERITED = (
    "PATH", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TZ", "TERM",
    "NO_COLOR",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE",
    "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS",
    "VIRTUAL_ENV", "UV_CACHE_DIR", "PIP_CACHE_DIR", "CARGO_HOME", "RUSTUP_HOME", "GOPATH", "GOCACHE", "JAVA_HOME",
)  # fmt: skip
"""Names that may come from the person's environment. The two of the desktop session are how a keychain is reached."""

LOGIN = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")
"""The person's own login. Never passed on to an address that the settings name: a hostile project could name one."""

_FIXED = {
    "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
    "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": "true",
    "PAGER": "cat",
}


def child_environment(
    config: ClaudeConfig,
    parent: Mapping[str, str],
    *,
    attempt: AttemptId,
    owner: str,
    cwd: str,
    sdk_version: str,
) -> dict[str, str]:
    """Return everything that the program gets to see; `owner` is what `sweep.owner_mark` returns."""
    names = (*INHERITED, *config.pass_environment, *_login_names(config), "CLAUDE_CONFIG_DIR", "ANTHROPIC_BASE_URL")
    environment = {name: parent[name] for name in names if name in parent}
    home = str(config.home) if config.home else parent.get("HOME", "")
    return {
        **environment,
        **({"HOME": home} if home else {}),
        **_FIXED,
        **_chosen(config),
        "CLAUDE_AGENT_SDK_VERSION": sdk_version,
        "CLAUDE_CODE_MAX_RETRIES": str(config.max_retries),
        "TMPDIR": str(config.tmp_dir),
        "PWD": cwd,
        # Should the copy lose its own .git, git must not take it for a part of a repository around the data directory.
        "GIT_CEILING_DIRECTORIES": str(Path(cwd).parent),
        **dict(config.extra_environment),
        ATTEMPT_MARK: attempt,
        OWNER_MARK: owner,
    }


def _login_names(config: ClaudeConfig) -> tuple[str, ...]:
    return () if config.base_url or config.api_key else LOGIN


def _chosen(config: ClaudeConfig) -> dict[str, str]:
    chosen = {
        "ANTHROPIC_BASE_URL": config.base_url,
        "ANTHROPIC_API_KEY": config.api_key,
        "CLAUDE_CONFIG_DIR": str(config.config_dir) if config.config_dir else "",
    }
    return {name: value for name, value in chosen.items() if value}


def login_from(config: ClaudeConfig, parent: Mapping[str, str]) -> str:
    """Name where the login comes from, without looking at any secret's value; empty if that cannot be known."""
    if config.api_key:
        return "settings"
    return next((name for name in _login_names(config) if parent.get(name)), "")


def socket_room(tmp_dir: Path) -> bool:
    """Whether Unix sockets still fit under `tmp_dir`: their paths end at 107 characters."""
    return len(str(tmp_dir)) <= 80
