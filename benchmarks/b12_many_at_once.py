"""No. 12: a plan of independent tasks with `--jobs 4` against the same plan with `--jobs 1`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import tempfile

from benchmarks.harness import Figure, alternated, arguments, median, median_ratio, report
from benchmarks.support_supervised import many_calculators, workshop

JOBS = 4


def main() -> None:
    """Both in turn, in repositories of their own; the scripted models think as long for both."""
    quick = arguments(__doc__ or "").quick
    pairs, tasks = (1, 4) if quick else (3, 20)
    with tempfile.TemporaryDirectory(prefix="obra-b-") as name:
        folder = Path(name)
        with workshop(many_calculators(folder / "plan", tasks), folder / "home", pace=1.0) as shop:
            mine, theirs = alternated(pairs, lambda: shop.supervised(jobs=JOBS), shop.supervised)
            accepted = shop.accepted
            many = [run for run in shop.consumed if run.jobs == JOBS]
    ratio = median_ratio(mine, theirs)
    share = median([run.own_cpu_s / run.whole_cpu_s for run in many])
    memory = median([run.own_mb for run in many])
    report(
        Figure(
            name="12 many at once",
            target=f"{tasks} tasks with --jobs {JOBS} <= 0.45x of --jobs 1, all accepted; <= 110 MB beside Claude"
            " Code's own, <= 20 % of the CPU",
            ours={
                "seconds": round(median(mine), 1),
                "accepted": accepted,
                "mb": round(memory),
                "cpu share": round(share, 3),
                "cpu s": round(median([run.own_cpu_s for run in many]), 1),
            },
            peer={"seconds": round(median(theirs), 1)},
            ratio=round(ratio, 2),
            met=ratio <= 0.45 and accepted == tasks and memory <= 110 and share <= 0.20,
            how=f"{tasks} scripted tasks at watching pace, `obra run --headless`, {pairs} alternated pairs,"
            f" {os.cpu_count()} CPUs; memory and CPU of the Obra process itself, the whole is it and all it starts",
        )
    )


if __name__ == "__main__":
    main()
