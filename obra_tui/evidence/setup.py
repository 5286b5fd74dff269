"""Runs the project's set-up commands where its environment is made: sandboxed, but with the network.

The folder holds exactly one commit at that moment, and nothing that is not on record.
"""

import asyncio
from pathlib import Path

from obra_tui.core.errors import WorkspaceError
from obra_tui.evidence.copies import Place, make_private, remove_tree
from obra_tui.evidence.running import Ended, run
from obra_tui.evidence.sandbox import Job, Mount, Sandbox, scratch_in
from obra_tui.system.process_sweep import kill_left_over

_TAIL_LINES = 15


def download_environment(cache: Path) -> dict[str, str]:
    """Return where package tools keep downloads, so that the next copy need not load them again."""
    return {
        **_read_later(cache),
        "UV_CACHE_DIR": str(cache / "uv"),
        "UV_LINK_MODE": "copy",
        "UV_COMPILE_BYTECODE": "1",
        "UV_PYTHON_INSTALL_DIR": str(cache / "python"),
        "POETRY_VIRTUALENVS_IN_PROJECT": "true",
        "POETRY_CACHE_DIR": str(cache / "poetry"),
        "PDM_CACHE_DIR": str(cache / "pdm"),
        "PIPENV_VENV_IN_PROJECT": "1",
        "npm_config_store_dir": str(cache / "pnpm"),
        "npm_config_update_notifier": "false",
        "COREPACK_HOME": str(cache / "corepack"),
        "BUN_INSTALL_CACHE_DIR": str(cache / "bun"),
        "PIP_CACHE_DIR": str(cache / "pip"),
        "npm_config_cache": str(cache / "npm"),
        "GOFLAGS": "-modcacherw",
    }


def offline_environment(cache: Path) -> dict[str, str]:
    """Return what tells package tools to use what is there, because checks have no network."""
    offline = {"UV_OFFLINE": "1", "UV_NO_SYNC": "1", "CARGO_NET_OFFLINE": "true", "GOPROXY": "off"}
    return {**offline, **(_read_later(cache) if cache.is_dir() else {})}


def _read_later(cache: Path) -> dict[str, str]:
    """Return the downloads that builds read again."""
    return {
        "CARGO_HOME": str(cache / "cargo"),
        "GOMODCACHE": str(cache / "go"),
        "YARN_CACHE_FOLDER": str(cache / "yarn"),
        "MAVEN_ARGS": f"-Dmaven.repo.local={cache / 'maven'}",
        "MAVEN_OPTS": f"-Dmaven.repo.local={cache / 'maven'}",
    }


async def run_setup(
    commands: tuple[str, ...], place: Place, sandbox: Sandbox, timeout_s: float, cache: Path, objects: Path
) -> None:
    """Run the commands one after the other; the first failure ends it. Output goes to the set-up log.

    `objects` are those of git that the copy borrows: version tools read the history and its tags.
    """
    if refusal := await sandbox.refusal():
        raise WorkspaceError(
            refusal,
            where=str(place.work),
            fix='Do what is said there, install bubblewrap, or set sandbox.level = "auto".',
        )
    await kill_left_over(f"{_label(place)}/")
    scratch = scratch_in(place.root)
    try:
        with place.setup_log.open("w", encoding="utf-8") as log:
            for command in commands:
                log.write(f"$ {command}\n")
                job = _job(command, place, scratch, cache, objects)
                ended = await _run_one(job, sandbox, timeout_s)
                log.write(f"{ended.output}\n")
                log.flush()
                _refuse_failure(command, ended, place, timeout_s)
    finally:
        await asyncio.to_thread(remove_tree, scratch)


def _label(place: Place) -> str:
    return f"{place.task}/setup"


async def _run_one(job: Job, sandbox: Sandbox, timeout_s: float) -> Ended:
    level, _ = await sandbox.probe()
    return await run(sandbox.launch(level, job), timeout_s=timeout_s, printed=lambda _: None)


def _job(command: str, place: Place, scratch: Path, cache: Path, objects: Path) -> Job:
    make_private(cache)
    writable = tuple(Mount(source=path, target=path, writable=True) for path in (place.work, cache))
    return Job(
        argv=("sh", "-c", command),
        cwd=place.work,
        scratch=scratch,
        mounts=(*writable, Mount(source=objects, target=objects)),
        environment=download_environment(cache),
        network=True,
        label=_label(place),
    )


def _refuse_failure(command: str, ended: Ended, place: Place, timeout_s: float) -> None:
    if ended.exit_code == 0:
        return
    how = f"exit code {ended.exit_code}" if ended.exit_code is not None else f"no end within {timeout_s:.0f} s"
    tail = "\n".join(ended.output.strip().splitlines()[-_TAIL_LINES:])
    raise WorkspaceError(
        f"The set-up command `{command}` failed: {how}.\n{tail}",
        where=str(place.work),
        fix=f"Correct `workspace.setup`, or what it needs. All output: {place.setup_log}",
    )
