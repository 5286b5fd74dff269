"""No. 11: one supervised attempt, checks and judge included, against the same programs run by hand."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import tempfile

from benchmarks.harness import Figure, alternated, arguments, median, median_ratio, report
from benchmarks.support_supervised import calculator_in_one, many_calculators, workshop


def growth(folder: Path, tasks: int) -> float:
    """How many times as long as one task a plan of many takes."""
    with workshop(many_calculators(folder / "one", 1), folder / "home-one") as shop:
        shop.supervised()
        one = median([shop.supervised() for _ in range(3)])
    with workshop(many_calculators(folder / "many", tasks), folder / "home-many") as shop:
        return shop.supervised() / one


def main() -> None:
    """Obra and the bare programs in turn, then one plan of many tasks."""
    quick = arguments(__doc__ or "").quick
    pairs, tasks = (2, 4) if quick else (7, 20)
    with tempfile.TemporaryDirectory(prefix="obra-b-") as name:
        folder = Path(name)
        with workshop(calculator_in_one(folder / "calculator"), folder / "home") as shop:
            shop.supervised()
            shop.by_hand()
            mine, theirs = alternated(pairs, shop.supervised, shop.by_hand)
        many = growth(folder, tasks)
    ratio = median_ratio(mine, theirs)
    added = median([ours - bare for ours, bare in zip(mine, theirs, strict=True)])
    report(
        Figure(
            name="11 supervision overhead",
            target=f"<= 1.0 s added; {tasks} attempts <= {tasks + 0.5}x one",
            ours={"seconds": round(median(mine), 2), "added_s": round(added, 2), f"{tasks}_over_1": round(many, 1)},
            peer={"seconds": round(median(theirs), 2)},
            ratio=round(ratio, 2),
            met=added <= 1.0 and many <= tasks + 0.5,
            how="calculator rehearsal, one attempt, `obra run --headless` against Claude Code, compileall, pytest and"
            f" the judge's request by hand; {pairs} alternated pairs, scripted models in the benchmark's process",
        )
    )


if __name__ == "__main__":
    main()
