"""`python -m tests.fleet.chaos`: a campaign; with `--be`, one of its processes."""
# ruff: noqa: T201

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.fleet.chaos.bugs import BUGS
from tests.fleet.chaos.processes import LEASE_S, coordinate, work


def _campaign(options):
    from tests.chaos.agent import end_all
    from tests.fleet.chaos.campaign import handed_on, harm
    from tests.fleet.chaos.checker import census
    from tests.postgresql import Server, missing

    if reason := missing():
        print(f"There can be no PostgreSQL server here: {reason}. Nothing was tried.")
        return 0
    folder = Path(tempfile.mkdtemp(prefix="obra-pg-"))
    root = Path(tempfile.mkdtemp(prefix="obra-fleet-chaos-"))
    shutil.chown(folder, "nobody", "nogroup")
    began = time.monotonic()
    server = Server(folder)
    try:
        tally = harm(
            root, server, options.faults, options.seed, options.bug or "", lambda line: print(line, flush=True)
        )
        found, times = census(tally.address), handed_on(tally)
    finally:
        end_all(root)
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
        if not options.keep:
            shutil.rmtree(root, ignore_errors=True)
    for fault in tally.faults[:40]:
        print(f"FAULT {fault}")
    print(
        f"{sum(tally.done.values())} faults {dict(tally.done)}, seed {options.seed}, {time.monotonic() - began:.0f} s"
    )
    print(", ".join(f"{number:,} {what}" for what, number in found.items()))
    if times:
        print(
            f"handed on after a kill: {len(times)} jobs, p50 {times[len(times) // 2]:.1f} s, most {times[-1]:.1f} s"
            f" (lease {LEASE_S} s)"
        )
    print(f"{len(tally.faults)} promises broken" + (f"; see {root}" if options.keep else ""))
    return 1 if tally.faults else 0


def main():
    parser = argparse.ArgumentParser(prog="tests.fleet.chaos")
    parser.add_argument("--faults", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--bug", choices=sorted(BUGS), help="put this fault into the fleet first; frozen workers alone")
    parser.add_argument("--keep", action="store_true", help="keep the files")
    parser.add_argument("--be", help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--tasks", type=int, default=6, help="of one session")
    parser.add_argument("--places", type=int, default=2, help="of one worker")
    parser.add_argument("--seconds", type=float, default=1.0, help="that an agent takes")
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.be:
        return _campaign(options)
    if options.be == "data":
        coordinate(options.root, options.url, bug=options.bug or "", tasks=options.tasks)
    else:
        given = {"bug": options.bug or "", "places": options.places, "seconds": options.seconds}
        work(options.root, options.be, options.url, **given)
    return 0


if __name__ == "__main__":
    sys.exit(main())
