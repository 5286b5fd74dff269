"""Where this machine keeps the programs that work is done with: interpreters, compilers, package managers.

A sandbox hides home folders and shows these again, read-only. Knows nothing of sandboxes.
"""

import functools
import os
import pwd
import sys
from pathlib import Path

_HOME_TOOLS = (
    *(".rustup", ".cargo", ".pyenv", ".nvm", ".volta", ".fnm", ".asdf", ".sdkman", ".rbenv", ".bun", ".deno"),
    *("go", ".local/lib", ".local/share/uv", ".local/share/pipx", ".local/share/mise", ".local/share/pnpm"),
)
SECRETS_AMONG_TOOLS = (".cargo/credentials", ".cargo/credentials.toml")
"""Files in tool folders, below a home folder, that hold logins."""


def homes() -> tuple[Path, ...]:
    """Return the person's home folder, by the environment and by the user database; some have no entry there."""
    return _as_paths((os.environ.get("HOME", ""), _home_on_record()))


@functools.lru_cache(maxsize=4)
def _as_paths(homes: tuple[str, ...]) -> tuple[Path, ...]:
    return tuple(Path(home) for home in dict.fromkeys(homes) if home.startswith("/") and home != "/")


@functools.cache
def _home_on_record() -> str:
    """Return the home folder by the user database, which is read once: each launch asks a score of times."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""


@functools.lru_cache(maxsize=4)
def tool_folders(search: str, homes: tuple[Path, ...]) -> tuple[str, ...]:
    """Return where tools are kept, by a search path and beside it. Whether they are there is another question."""
    known = [home / name for home in homes for name in _HOME_TOOLS]
    entries = [Path(part) for part in search.split(os.pathsep)]
    folders = (Path(sys.prefix), Path(sys.base_prefix), *known, *(_home_of_tools(entry, homes) for entry in entries))
    return tuple(map(str, folders))


def _home_of_tools(entry: Path, homes: tuple[Path, ...]) -> Path:
    """Return the folder that holds a PATH entry with its libraries, but never the home folder itself."""
    too_much = {Path("/tmp"), *homes, *(home / ".local" for home in homes)}
    if entry.name not in {"bin", "sbin", "shims"} or entry.parent in too_much:
        return entry
    return entry.parent


@functools.lru_cache(maxsize=16)
def inside_folders(paths: tuple[str, ...], folders: tuple[str, ...]) -> tuple[str, ...]:
    """Return the paths that lie in one of the folders, outer ones first."""
    inner = {path for path in paths if any(lies_in(path, folder) for folder in folders)}
    return tuple(sorted(inner - set(folders)))


def lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
