"""The command `obra`, also as `python -m obra_tui`."""

import gc
import os
import sys

from obra_tui.system.gc_tuning import while_loading


def main() -> None:
    """Run the command line; expected errors become one line and an exit code, never a traceback."""
    while_loading()
    # A thread that has got an answer, from git or from a key, goes on soon although another one is loading libraries.
    sys.setswitchinterval(0.0005)
    # Nothing that is installed beside Obra has a say in its settings: pydantic would look through it for plugins.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from obra_tui.cli.entry import run

    code = run(sys.argv[1:])
    # What is left goes with the process. Python would look through all of it three times before it leaves.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
