"""The environment of the Claude Code program: built from an allow-list, never inherited whole.

Pure: values in, values out. Commands that Claude runs see the same environment, so nothing belongs in it that
the program does not need.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from obra_tui.agents.config import ClaudeConfig
from obra_tui.core.ids import AttemptId
from obra_tui.system.process_env import ATTEMPT_MARK

OWNER_MARK = "OBRA_OWNER"

_PROXY_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
INHERITED = (
    "PATH", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TZ", "TERM",
    "NO_COLOR",
    *_PROXY_NAMES,
    "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE",
    "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS",
    "VIRTUAL_ENV", "RUSTUP_HOME", "JAVA_HOME",
)  # fmt: skip
"""Names that may come from the person's environment."""

UNCONFINED = (
    "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "UV_CACHE_DIR", "PIP_CACHE_DIR", "CARGO_HOME", "GOPATH", "GOCACHE",
)  # fmt: skip
"""Names that only mean something in the person's own home: the desktop session, by which a keychain is reached, and
download caches. A confined program cannot see them."""

LOGIN = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")
"""The person's own login. Never passed on to an address that the settings name: a hostile project could name one."""

CLOUDS: dict[str, tuple[str, ...]] = {
    "CLAUDE_CODE_USE_BEDROCK": ("AWS_", "ANTHROPIC_BEDROCK_", "CLAUDE_CODE_SKIP_BEDROCK_"),
    "CLAUDE_CODE_USE_MANTLE": ("AWS_", "ANTHROPIC_BEDROCK_", "CLAUDE_CODE_SKIP_MANTLE_"),
    "CLAUDE_CODE_USE_VERTEX": (
        *("GOOGLE_", "CLOUD_ML_", "VERTEX_REGION_", "ANTHROPIC_VERTEX_", "CLAUDE_CODE_SKIP_VERTEX_"),
        *("CLOUDSDK_", "GCLOUD_"),
    ),
    "CLAUDE_CODE_USE_FOUNDRY": ("AZURE_", "ANTHROPIC_FOUNDRY_", "CLAUDE_CODE_SKIP_FOUNDRY_"),
}
"""Switches of other logins, and the variables that belong to each: these are passed on only with their switch."""
GATEWAY = ("ANTHROPIC_BASE_URL", "ANTHROPIC_CUSTOM_HEADERS", "ANTHROPIC_BETAS")
"""How a gateway is reached. The headers may hold a login."""
MODELS = ("ANTHROPIC_MODEL", "ANTHROPIC_SMALL_FAST_MODEL", "ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION")
_MODEL_NAMES = ("ANTHROPIC_DEFAULT_", "ANTHROPIC_CUSTOM_MODEL_")

LOOPBACK = ("localhost", "127.0.0.1", "::1")

_LOGIN_FOLDERS = {
    "CLAUDE_CODE_USE_BEDROCK": (".aws",),
    "CLAUDE_CODE_USE_MANTLE": (".aws",),
    "CLAUDE_CODE_USE_VERTEX": (".config/gcloud",),
    "CLAUDE_CODE_USE_FOUNDRY": (".azure",),
}
CERTIFICATES = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("GIT_SSL_CAINFO", "PIP_CERT", "CLAUDE_CODE_CLIENT_CERT", "CLAUDE_CODE_CLIENT_KEY"),
)
"""Names of files that say which servers are trusted, and who the person is to them."""

_FILE_NAMES = (
    "GOOGLE_APPLICATION_CREDENTIALS", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE",
    "AWS_WEB_IDENTITY_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_CERTIFICATE_PATH",
)  # fmt: skip

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
    confined: bool = False,
    proxy: str = "",
) -> dict[str, str]:
    """Return everything that the program gets to see; `owner` is what `sweep.owner_mark` returns.

    `proxy` is the address of our own proxy when that is all the network there is.
    """
    names = (
        *INHERITED,
        *(() if confined else UNCONFINED),
        *config.pass_environment,
        *_login_names(config, parent),
        "CLAUDE_CONFIG_DIR",
    )
    environment = {name: parent[name] for name in names if parent.get(name)}
    home = str(config.home) if config.home else parent.get("HOME", "")
    return {
        **environment,
        **_certificates(parent),
        **_proxies(parent, proxy),
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


def _certificates(parent: Mapping[str, str]) -> dict[str, str]:
    """Return where certificates are: a path from where the person stands is none from where the program does."""
    named = {name: os.path.abspath(parent[name]) for name in CERTIFICATES if parent.get(name)}  # noqa: PTH100
    others = [named[name] for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if name in named]
    if others and not named.keys() & {"NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"}:
        named["NODE_EXTRA_CA_CERTS"] = others[0]  # the program knows no other name for it
    return named


def _proxies(parent: Mapping[str, str], proxy: str) -> dict[str, str]:
    """Return which proxy is used, and that this machine's own servers are never reached through one."""
    named = [name.strip() for key in ("NO_PROXY", "no_proxy") for name in parent.get(key, "").split(",")]
    without = ",".join(dict.fromkeys([*(name for name in named if name and not proxy), *LOOPBACK]))
    through = _PROXY_NAMES if proxy else ()
    return {"NO_PROXY": without, "no_proxy": without, **dict.fromkeys(through, proxy)}


def _login_names(config: ClaudeConfig, parent: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables that say who the person is to the API and where that is."""
    models = (*MODELS, *(name for name in parent if name.startswith(_MODEL_NAMES)))
    if config.base_url:
        return models
    if config.api_key:
        return (*models, "ANTHROPIC_BASE_URL")
    return (*models, *LOGIN, *GATEWAY, *_cloud_names(parent))


def cloud_of(parent: Mapping[str, str]) -> tuple[str, ...]:
    """Return the switches of other logins that the person turned on."""
    return tuple(switch for switch in CLOUDS if parent.get(switch, "").lower() in ("1", "true", "yes", "on"))


def _cloud_names(parent: Mapping[str, str]) -> Iterator[str]:
    for switch in cloud_of(parent):
        yield switch
        yield from (name for name in parent if name.startswith(CLOUDS[switch]))


def login_files(config: ClaudeConfig, parent: Mapping[str, str]) -> tuple[str, ...]:
    """Return the files and folders that the person's login by another company's account is read from."""
    if config.base_url or config.api_key:
        return ()
    home = parent.get("HOME", "")
    folders = [f"{home}/{folder}" for switch in cloud_of(parent) for folder in _LOGIN_FOLDERS[switch] if home]
    passed = set(_cloud_names(parent))
    return (*folders, *(parent[name] for name in _FILE_NAMES if name in passed and parent[name]))


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
    if config.base_url:
        return ""
    return next(iter(cloud_of(parent)), "") or next((name for name in LOGIN if parent.get(name)), "")


def socket_room(tmp_dir: Path) -> bool:
    """Whether Unix sockets still fit under `tmp_dir`: their paths end at 107 characters."""
    return len(str(tmp_dir)) <= 80
