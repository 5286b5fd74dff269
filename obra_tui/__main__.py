"""The command `obra`, also as `python -m obra_tui`."""

import gc
import sys


def main() -> None:
    """Run the command line; expected errors become one line and an exit code, never a traceback."""
    # Starting makes hundreds of thousands of objects that live to the end: looking through them again and again
    # takes a tenth of the time of a short run.
    gc.set_threshold(300_000, 20, 50)
    from obra_tui.cli.entry import run

    code = run(sys.argv[1:])
    # What is left goes with the process. Python would look through all of it three times before it leaves.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
