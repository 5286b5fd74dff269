# ruff: noqa: T201 - a program with output
"""`python -m tests.adversary.forged_works`: how many forged works are accepted, and how many honest ones refused.

The real Claude Code program writes each work, driven by a scripted server; a judge approves of everything; the policy
is `autonomous`. `--direct` writes the files itself, which shows the same of checks and gate in a fraction of the time.
"""

import argparse
import asyncio
import sys
import tempfile
import threading
from pathlib import Path

from obra_tui.api import Obra
from obra_tui.core.gate import Evidence, GateRules, assess, decide
from obra_tui.core.model import GateDecision, Outcome, PermissionVerdict, Policy
from obra_tui.rehearsal import ollama_server
from obra_tui.rehearsal.anthropic_server import AnthropicServer
from obra_tui.rehearsal.reviewer import Review
from obra_tui.rehearsal.script import Response, Say, Script, Turn, Use
from tests.adversary.works import FORGED, HONEST, Work
from tests.core.build import verdict
from tests.evidence.scene import make_project, make_scene, task


async def _direct(work: Work, folder: Path) -> tuple[bool, str]:
    scene = make_scene(folder / "scene", work.base)
    copy = await scene.copy()
    root = Path(copy.path)
    for old, new in work.moves.items():
        (root / old).rename(root / new)
    for name, text in work.files.items():
        if text is None:
            (root / name).unlink()
            continue
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    found = await scene.workspace.take_diff(copy)
    runner = scene.checks()
    specs = await runner.plan(copy, task())
    results = tuple([await runner.run(spec, copy, lambda _: None) for spec in specs])
    rules = GateRules(policy=Policy.AUTONOMOUS)
    evidence = Evidence(outcome=Outcome.COMPLETED, diff=found, checks=results, verdict=verdict(1.0))
    outcome = decide(assess(evidence, rules), evidence, rules, counted=rules.max_attempts)
    return outcome.decision is GateDecision.PASS, _first(outcome.reasons)


def _first(reasons: tuple[str, ...]) -> str:
    return next((text for text in reasons if "attempts are used up" not in text), " ".join(reasons))


def _scripted(work: Work) -> Script:
    """Let Claude move, remove and write the files, one call after the other, and say that it is done."""
    shell = [f"mv {old} {new}" for old, new in work.moves.items()]
    shell += [f"rm {name}" for name, text in work.files.items() if text is None]
    calls = [Use(tool="Bash", input={"command": line}) for line in shell]
    existing = [name for name, text in work.files.items() if text is not None and name in work.base]
    calls += [Use(tool="Read", input={"file_path": f"{{cwd}}/{name}"}) for name in existing]
    calls += [
        Use(tool="Write", input={"file_path": f"{{cwd}}/{name}", "content": text})
        for name, text in work.files.items()
        if text is not None
    ]
    replies = [Response(blocks=(call,)) for call in calls]
    return Script(name="work", turns=(Turn(responses=(*replies, Response(blocks=(Say(text="It is done."),)))),))


def _with_claude(work: Work, folder: Path) -> tuple[bool, str]:
    project = make_project(folder / "project", work.base)
    claude = AnthropicServer([_scripted(work)], pace=0).start()
    judge = ollama_server.OllamaServer(pace=0).start()
    config = {
        "data_dir": folder / "data",
        "gate.policy": "autonomous",
        "gate.max_attempts": 1,
        "claude.base_url": claude.url,
        "claude.api_key": "dummy",
        "claude.config_dir": str(folder / "claude"),
        "claude.max_retries": 0,
        "judge.base_url": judge.url,
        "judge.model": ollama_server.MODEL,
    }
    try:
        with Obra.open(project, config) as obra:
            done = threading.Event()
            allowing = threading.Thread(target=_allow, args=(obra, done))
            allowing.start()
            try:
                name = obra.create_task("Work", "Do the work.")
                result = obra.execute_task(name)
            finally:
                done.set()
                allowing.join()
            reasons = tuple(reason for gate in obra.pending_gates() for reason in obra.gate(gate.id).reasons)
            return result.accepted, _first(reasons)
    finally:
        claude.stop()
        judge.stop()


def _allow(obra: Obra, done: threading.Event) -> None:
    """A person who allows whatever is asked."""
    while not done.wait(0.1):
        for asked in obra.permissions.waiting():
            obra.permissions.answer(asked.question, PermissionVerdict.ALLOW)


def _approves(shown: object) -> Review:
    return Review(remarks=(), files=tuple(item.path for item in shown.files))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--direct", action="store_true", help="without Claude Code")
    parser.add_argument("words", nargs="*", help="only works whose names hold one of these")
    given = parser.parse_args()
    ollama_server.review = _approves
    wrong = 0
    for works, wanted in ((FORGED, False), (HONEST, True)):
        chosen = [work for work in works if not given.words or any(word in work.name for word in given.words)]
        right = 0
        for work in chosen:
            with tempfile.TemporaryDirectory(prefix="obra-adversary-") as folder:
                place = Path(folder).resolve()
                accepted, why = asyncio.run(_direct(work, place)) if given.direct else _with_claude(work, place)
            right += accepted is wanted
            mark = "✓" if accepted is wanted else "✗"
            print(f"  {mark} {work.name}: {'accepted' if accepted else why}", flush=True)
        kind = "honest works accepted" if wanted else "forged works refused"
        print(f"{right} of {len(chosen)} {kind}", flush=True)
        wrong += len(chosen) - right
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
