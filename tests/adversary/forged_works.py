# ruff: noqa: T201 - a program with output
"""`python -m tests.adversary.forged_works`: how many forged works are accepted, and how many honest ones refused.

The real Claude Code program writes each work, driven by a scripted server; a judge approves of everything; the policy
is `autonomous`. `--direct` writes the files itself, which shows the same of checks and gate in a fraction of the time.
Failing works are the control of the honest ones: they are written in good faith and wrong. `--by-exit-code` is the
control of the forged ones: whoever only runs the tests of the work and looks at the exit code accepts what is counted.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from obra_tui.api import Obra
from obra_tui.core.gate import Evidence, GateRules, assess, decide
from obra_tui.core.model import CheckSpec, GateDecision, Outcome, PermissionVerdict, Policy, Stage
from obra_tui.rehearsal import ollama_server
from obra_tui.rehearsal.anthropic_server import AnthropicServer
from obra_tui.rehearsal.reviewer import Review
from obra_tui.rehearsal.script import Response, Say, Script, Turn, Use
from tests.adversary.further_works import FURTHER_FORGED, FURTHER_HONEST
from tests.adversary.more_works import FAILING, MORE_FORGED, MORE_HONEST
from tests.adversary.works import FORGED, HONEST, Work
from tests.core.build import verdict
from tests.evidence.scene import make_project, make_scene, task

ALL_FORGED = (*FORGED, *MORE_FORGED, *FURTHER_FORGED)
ALL_HONEST = (*HONEST, *MORE_HONEST, *FURTHER_HONEST)


def write(work: Work, root: Path) -> None:
    """Do the work in a folder."""
    for old, new in work.moves.items():
        (root / old).rename(root / new)
    for name, text in work.files.items():
        if text is None:
            (root / name).unlink()
            continue
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for name, target in work.links.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target)


async def direct(work: Work, folder: Path) -> tuple[bool, str]:
    """Let the evidence be taken of a work that is written here; returns whether it is accepted, and why not."""
    scene = make_scene(folder / "scene", work.base)
    copy = await scene.copy()
    write(work, Path(copy.path))
    found = await scene.workspace.take_diff(copy)
    runner = scene.checks(*work.checks)
    specs = await runner.plan(copy, task())
    results = tuple([await runner.run(spec, copy, lambda _: None) for spec in specs])
    rules = GateRules(policy=Policy.AUTONOMOUS, weights=_weights(work))
    evidence = Evidence(outcome=Outcome.COMPLETED, diff=found, checks=results, verdict=verdict(1.0))
    outcome = decide(assess(evidence, rules), evidence, rules, counted=rules.max_attempts)
    return outcome.decision is GateDecision.PASS, _first(outcome.reasons)


def _weights(work: Work) -> tuple[tuple[Stage, float], ...]:
    """Where the settings name a test command alone, nothing is asked of syntax."""
    return tuple((stage, 0.0 if work.checks and stage is Stage.SYNTAX else 0.25) for stage in Stage)


def by_exit_code(work: Work, folder: Path) -> tuple[bool, str]:
    """Accept what ends with 0 in the tree of the work: what somebody does who believes the tests of the accused."""
    project = make_project(folder / "project", work.base)
    write(work, project)
    command = work.checks[0].run if work.checks else _usual_command(project)
    done = subprocess.run(
        ["sh", "-c", command], cwd=project, capture_output=True, timeout=60, check=False, env=_environment(folder)
    )
    return done.returncode == 0, f"exit code {done.returncode}"


def _usual_command(project: Path) -> str:
    if (project / "package.json").exists():
        return "npm test"
    return "make test" if (project / "Makefile").exists() else f"{sys.executable} -m pytest -q -p no:cacheprovider"


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "CI": "1"}


def _first(reasons: Sequence[str]) -> str:
    return next((text for text in reasons if "attempts are used up" not in text), " ".join(reasons))


def _scripted(work: Work) -> Script:
    """Let Claude move, remove and write the files, one call after the other, and say that it is done."""
    shell = [f"mv {old} {new}" for old, new in work.moves.items()]
    shell += [f"rm {name}" for name, text in work.files.items() if text is None]
    shell += [f"mkdir -p {Path(name).parent} && ln -s {target} {name}" for name, target in work.links.items()]
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


def with_claude(work: Work, folder: Path) -> tuple[bool, str]:
    """Let the real Claude Code program do the work in a whole session."""
    project = make_project(folder / "project", work.base)
    claude = AnthropicServer([_scripted(work)], pace=0).start()
    judge = ollama_server.OllamaServer(pace=0).start()
    config = {
        "data_dir": folder / "data",
        "gate.policy": "autonomous",
        "gate.max_attempts": 1,
        "gate.weights": {stage.value: weight for stage, weight in _weights(work)},
        "checks": [_setting(spec) for spec in work.checks],
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
                result = obra.execute_task(obra.create_task("Work", prompt="Do the work."))
            finally:
                done.set()
                allowing.join()
            reasons = [reason for gate in obra.pending_gates() for reason in obra.gate(gate.id).gate.reasons]
            return result.accepted, _first(reasons) or result.reason
    finally:
        claude.stop()
        judge.stop()


def _setting(spec: CheckSpec) -> dict[str, object]:
    return {"name": spec.name, "run": spec.run, "stage": spec.stage.value, "junit": spec.junit}


def _allow(obra: Obra, done: threading.Event) -> None:
    """A person who allows whatever is asked."""
    while not done.wait(0.1):
        for asked in obra.permissions.waiting():
            obra.permissions.answer(asked.question, PermissionVerdict.ALLOW)


def approves(shown: object) -> Review:
    """Review as a judge that finds nothing wrong with anything."""
    return Review(remarks=(), files=tuple(item.path for item in shown.files))


def _right(accepted: bool, wanted: bool, why: str) -> bool:
    """A refusal counts only with a sentence that says why."""
    return accepted is wanted and (accepted or why.endswith((".", "?", "!")))


def _tried(work: Work, how: str) -> tuple[bool, str]:
    with tempfile.TemporaryDirectory(prefix="obra-adversary-") as folder:
        place = Path(folder).resolve()
        match how:
            case "direct":
                return asyncio.run(direct(work, place))
            case "exit code":
                return by_exit_code(work, place)
            case _:
                return with_claude(work, place)


def _counted(works: Sequence[Work], wanted: bool, how: str, kind: str) -> int:
    """Try them one after the other, print each, and return how many did not end as they should."""
    right = 0
    for work in works:
        accepted, why = _tried(work, how)
        fits = _right(accepted, wanted, why)
        right += fits
        print(f"  {'✓' if fits else '✗'} {work.name}: {'accepted' if accepted else why or 'no reason'}", flush=True)
    print(f"{right} of {len(works)} {kind}", flush=True)
    return len(works) - right


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--direct", action="store_true", help="without Claude Code")
    parser.add_argument("--by-exit-code", action="store_true", help="a control: what passes its own tests")
    parser.add_argument("words", nargs="*", help="only works whose names hold one of these")
    given = parser.parse_args()
    ollama_server.review = approves

    def chosen(works: Sequence[Work]) -> list[Work]:
        return [work for work in works if not given.words or any(word in work.name for word in given.words)]

    if given.by_exit_code:
        let_through = sum(_tried(work, "exit code")[0] for work in chosen(ALL_FORGED))
        print(f"{let_through} of {len(chosen(ALL_FORGED))} forged works end with 0 where they are believed.")
        return 0 if let_through else 1
    how = "direct" if given.direct else "claude"
    wrong = _counted(chosen(ALL_FORGED), False, how, "forged works refused")
    wrong += _counted(chosen(ALL_HONEST), True, how, "honest works accepted")
    wrong += _counted(chosen(FAILING), False, how, "works that are wrong in good faith refused")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
