"""From `sys.argv` to an exit code, whatever happens in between."""

import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

from obra_tui.core.errors import ObraError
from obra_tui.headless import EXIT_INTERRUPTED, print_error

_EXIT_CRASH = 1


def run(argv: list[str]) -> int:
    """Carry out one command line and return its exit code."""
    import click

    from obra_tui.cli.app import app

    try:
        code = app(argv, prog_name="obra", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except ObraError as error:
        print_error(error)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output left: not our fault and nothing to tell it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_CRASH
    except Exception as fault:  # noqa: BLE001  # the edge of the process: a person gets a sentence and a file
        print_error(_crashed(fault))
        return _EXIT_CRASH
    return code if isinstance(code, int) else 0


def _crashed(fault: Exception) -> ObraError:
    """Write the traceback, without values of variables, to a private file and return what to tell the person."""
    handle, name = tempfile.mkstemp(prefix=f"obra-crash-{time.strftime('%Y%m%d-%H%M%S')}-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        traceback.print_exception(fault, file=file)
    return ObraError(
        f"Obra itself failed: {type(fault).__name__}: {fault}.",
        fix=f"Sessions are kept. Please report it with the file {Path(name)}.",
    )
