# ruff: noqa: T201
"""`python -m tests.soak`: the long form."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.day import work


def main():
    parser = argparse.ArgumentParser(prog="tests.soak")
    parser.add_argument("--attempts", type=int, default=10_000)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="obra-soak-") as root:
        early, late = asyncio.run(work(Path(root), options.attempts, say=lambda line: print(line, flush=True)))
    growth = late[0] / early[0] - 1
    print(
        f"{options.attempts} attempts in {time.monotonic() - began:.0f} s: memory {early[0]:.0f} MB after a fifth, "
        f"{late[0]:.0f} MB at the end ({growth:+.1%}); files {early[1]} and {late[1]}; threads {early[2]} and {late[2]}"
    )
    return 0 if growth <= 0.05 and early[1:] == late[1:] else 1


if __name__ == "__main__":
    sys.exit(main())
