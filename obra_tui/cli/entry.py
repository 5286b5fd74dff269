"""From `sys.argv` to an exit code, whatever happens in between."""

import io
import os
import sys
from pathlib import Path

from obra_tui.cli.fast_start import bare_start, wants_screen
from obra_tui.core.errors import ConfigError, ObraError
from obra_tui.system.os_errors import advice

_EXIT_CRASH = 1
_EXIT_INTERRUPTED = 130


def run(argv: list[str]) -> int:
    """Carry out one command line and return its exit code."""
    _print_any_text()
    folder = bare_start(argv)
    try:
        _refuse_without_home()
        if folder is not None and wants_screen(headless=False, as_json=False):
            return _open_app(folder)
        return _parse(argv)
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    except ObraError as error:
        return _refused(error)
    except BrokenPipeError:
        # The reader of our output left: not our fault and nothing to tell it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_CRASH
    except Exception as fault:  # noqa: BLE001  # the edge of the process: a person gets a sentence and a file
        return _refused(_of_the_machine(fault) or _crashed(fault))


def _print_any_text() -> None:
    """Have what the terminal's encoding lacks, and what is no UTF-8 in a file's name, printed as its number."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _of_the_machine(fault: Exception) -> ObraError | None:
    """Return what to tell when it is no fault of Obra's: nothing to report, and something to do."""
    if not isinstance(fault, OSError) or not (fix := advice(fault)):
        return None
    where = str(fault.filename or "")
    return ObraError(f"The system refused a step ({fault.strerror}). Sessions are kept.", where=where, fix=fix)


def _refuse_without_home() -> None:
    """Settings and data are looked for below it: in a container, a user id may have none. Empty means not set."""
    if not os.environ.get("HOME", "/"):
        del os.environ["HOME"]
    if os.path.expanduser("~") == "~":  # noqa: PTH111  # Path.home() raises a RuntimeError instead
        raise ConfigError("No home directory is known.", where="HOME", fix="Set HOME to a folder of yours.")


def _open_app(folder: Path) -> int:
    from obra_tui.bootstrap.app import open_app
    from obra_tui.bootstrap.run_request import RunRequest

    return open_app(RunRequest(project=folder))


def _parse(argv: list[str]) -> int:
    import typer
    from typer.exceptions import TyperException

    from obra_tui.cli.app import app

    try:
        code = app(argv, prog_name="obra", standalone_mode=False)
    except typer.Exit as done:
        return done.exit_code
    except typer.Abort:
        return _EXIT_INTERRUPTED
    except TyperException as error:
        # A usage error knows the command that it was made with.
        command = getattr(getattr(error, "ctx", None), "command_path", "obra")
        _refused(ObraError(error.format_message(), fix=f"Try `{command} --help`."))
        return error.exit_code
    return code if isinstance(code, int) else 0


def _refused(error: ObraError) -> int:
    """Tell a person what went wrong; returns the exit code."""
    from obra_tui.headless.follow import print_error

    print_error(error)
    return error.exit_code


def _crashed(fault: Exception) -> ObraError:
    """Write the traceback, without values of variables, to a private file and return what to tell the person."""
    import tempfile
    import time
    import traceback

    handle, name = tempfile.mkstemp(prefix=f"obra-crash-{time.strftime('%Y%m%d-%H%M%S')}-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        traceback.print_exception(fault, file=file)
    return ObraError(
        f"Obra itself failed: {type(fault).__name__}: {fault}.",
        fix=f"Sessions are kept. Please report it with the file {Path(name)}.",
    )
