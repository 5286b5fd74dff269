"""`python -m tests.chaos`: the long forms, and what the tests start as a process of their own."""

import argparse
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from tests.chaos import points
from tests.chaos.agent import end_all
from tests.chaos.bugs import BUGS
from tests.chaos.campaign import kill_at, kill_at_random, new_place, summary
from tests.chaos.checker import census
from tests.chaos.real import scripted_models


def _random(options, root):
    with scripted_models(root) if options.real_claude else nullcontext({}) as real:
        return _kill(options, new_place(root / "place", real.items()))


def _kill(options, place):
    began = time.monotonic()
    tally = kill_at_random(
        place, options.kills, options.seed, options.bug or "",
        stop_at_first=bool(options.bug), say=lambda line: print(line, flush=True),
    )  # fmt: skip
    print(f"{summary(tally)}, in {time.monotonic() - began:.0f} s, seed {options.seed}")
    print(", ".join(f"{number:,} {what}" for what, number in census(place).items()))
    return tally.faults


def _named(options, root):
    place, faults, kills = new_place(root), [], 0
    wanted = points.ALL if options.points == "all" else options.points.split(",")
    for point in wanted:
        first, _, second = point.partition("+")
        how = {"in_recovery": second, "policy": options.policy, "endless": options.endless}
        tally, reached = kill_at(place, first, options.bug or "", **how)
        kills += tally.kills
        faults += [f"{point}: {fault}" for fault in tally.faults]
        if not reached and not options.bug:
            faults.append(f"{point}: never reached")
        slow = max(tally.seconds_to_up, default=0.0)
        if slow > 3.0:
            faults.append(f"{point}: reopening took {slow:.1f} s")
    print(f"{kills} kills at {len(wanted)} named places, {len(faults)} faults")
    return faults


def main():
    parser = argparse.ArgumentParser(prog="tests.chaos")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument(
        "--points", help="named places, separated by commas, or `all`; `a+b` kills at b in the recovery"
    )
    parser.add_argument("--real-claude", action="store_true", help="at random: the real program, with scripted models")
    parser.add_argument("--policy", default="supervised", choices=("supervised", "autonomous"))
    parser.add_argument("--endless", action="store_true", help="at named places: the agent is at work when Obra dies")
    parser.add_argument("--bug", choices=sorted(BUGS), help="put this fault into the engine first")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="obra-chaos-") as root:
        try:
            faults = (_named if options.points else _random)(options, Path(root))
        finally:
            end_all(Path(root))
    for fault in faults[:40]:
        print(f"FAULT {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
