"""`python -m tests.fleet.speed`: what more workers bring, and how fast their news is at the coordinator.

F1: the wall time of N scripted tasks of some seconds with four workers of two places against one worker with one.
F2: from the claim of a job, and from the writing of its first line, to that line in the coordinator's journal.
"""
# ruff: noqa: T201

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from tests.chaos.agent import end_all
from tests.fleet.chaos.campaign import Fleet
from tests.fleet.chaos.checker import broken
from tests.postgresql import Server, missing


def main():
    parser = argparse.ArgumentParser(prog="tests.fleet.speed")
    parser.add_argument("--tasks", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    if reason := missing():
        print(f"There can be no PostgreSQL server here: {reason}. Nothing was measured.")
        return 0
    walls = [_measure(options, workers, places) for workers, places in ((4, 2), (1, 1))]
    print(f"F1: {walls[0]:.1f} s against {walls[1]:.1f} s, {walls[0] / walls[1]:.2f} of it")
    return 0


def _measure(options, workers, places):
    folder, root = Path(tempfile.mkdtemp(prefix="obra-pg-")), Path(tempfile.mkdtemp(prefix="obra-fleet-speed-"))
    shutil.chown(folder, "nobody", "nogroup")
    server = Server(folder)
    fleet = Fleet(root, server, options=("--tasks", str(options.tasks), "--seconds", str(options.seconds)))
    try:
        names = [f"w{number + 1}" for number in range(workers)]
        fleet.options += ("--places", str(places))
        (fleet.place.root / "enough-after-one").touch()
        for name in ("data", *names):
            fleet.start(name)
        assert fleet.processes["data"].wait(1800) == 0
        for name in names:
            fleet.processes[name].terminate()
            fleet.processes[name].wait(60)
        faults = broken(fleet.place, fleet.address)
        assert not faults, faults
        return _read(fleet.address, f"{workers} × {places}")
    finally:
        fleet.end()
        end_all(root)
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(root, ignore_errors=True)


def _read(address, what):
    with psycopg.connect(address) as connection:
        (wall,) = connection.execute(
            "SELECT max(at) FILTER (WHERE type = 'work_accepted') - min(at) FILTER (WHERE type = 'run_started')"
            " FROM event"
        ).fetchone()
        spans = connection.execute(
            "SELECT e.at - extract(epoch FROM c.at), e.at - extract(epoch FROM l.at) FROM event e"
            " JOIN fleet_job j ON j.attempt = e.attempt AND j.kind = 'implement'"
            " JOIN fleet_epoch c ON c.job = j.id AND c.what = 'claimed'"
            " JOIN fleet_event l ON l.job = j.id AND l.kind = 'claude_started' WHERE e.type = 'claude_started'"
        ).fetchall()
    for name, values in zip(("claim to journal", "line to journal"), zip(*spans, strict=True), strict=True):
        ordered = sorted(float(value) for value in values)
        p50, p95 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95))
        print(f"{what}: F2 {name}: p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms of {len(ordered)}", flush=True)
    print(f"{what}: {float(wall):.1f} s", flush=True)
    return float(wall)


if __name__ == "__main__":
    began = time.monotonic()
    code = main()
    print(f"measured in {time.monotonic() - began:.0f} s")
    sys.exit(code)
