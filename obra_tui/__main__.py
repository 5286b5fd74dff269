"""The command `obra`, also as `python -m obra_tui`."""

import sys


def main() -> None:
    """Run the command line; expected errors become one line and an exit code, never a traceback."""
    from obra_tui.cli.entry import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
