"""A program that speaks Claude Code's protocol and misbehaves as its environment says. Run, not imported."""

import json
import os
import signal
import sys
import time
from pathlib import Path

MODE = os.environ["MODE"]
SESSION = "11111111-1111-4111-8111-111111111111"


def put(**frame: object) -> None:
    sys.stdout.write(json.dumps(frame) + "\n")
    sys.stdout.flush()


def state(name: str) -> None:
    put(type="system", subtype="session_state_changed", state=name, session_id=SESSION)


def result(**changes: object) -> None:
    base = {"type": "result", "subtype": "success", "is_error": False, "num_turns": 1, "session_id": SESSION,
            "duration_ms": 1, "duration_api_ms": 1, "terminal_reason": "completed", "result": "Done."}  # fmt: skip
    put(**{**base, **changes})


def work() -> None:  # noqa: C901, PLR0912 - one case for each way to misbehave
    put(type="system", subtype="init", session_id=SESSION, model="m", claude_code_version="9.9.9", cwd=".")
    match MODE:
        case "never_exits":
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            result()
            state("idle")
            while True:
                time.sleep(60)
        case "no_result":
            sys.exit(0)
        case "greedy":
            while not Path("limited").exists():
                time.sleep(0.01)
            bytearray(300 * 2**20)
        case "unknown":
            for _ in range(3):
                put(type="hologram", depth=3)
                put(type="system", subtype="new_thing", data="x")
            result()
            state("idle")
        case "garbage":
            sys.stdout.buffer.write(b'{"type": "system", \xff\n{broken\n[1, 2]\nplain words\n{"type": 5}\n')
            sys.stdout.buffer.write(b"[" * 100_000 + b"\n" + b'{"a":' * 100_000 + b"\n")
            result()
            state("idle")
        case "noisy":
            for number in range(20_000):
                sys.stderr.write(f"warning {number}\n")
            sys.stderr.write("x" * 100_000 + "\nthe last words")
            sys.stderr.flush()
            result()
            state("idle")
        case "stateless":
            result()
        case "stuck_running":
            state("running")
            result()
        case "empty":
            result(num_turns=0, result="")
            state("idle")
        case "two_results":
            state("running")
            tasks = [{"task_id": "t1", "task_type": "local_agent", "description": "look"}]
            put(type="system", subtype="background_tasks_changed", tasks=tasks)
            result(result="First.")
            state("idle")
            time.sleep(0.5)
            put(type="system", subtype="background_tasks_changed", tasks=[])
            state("running")
            started = {"type": "message_start", "message": {"id": "m2", "usage": {}}}
            put(type="stream_event", event=started, session_id=SESSION)
            result(result="Second.")
            state("idle")
        case "closes_its_ears":
            os.close(0)
            time.sleep(60)


def main() -> None:
    if MODE == "dies_at_once":
        sys.stderr.write("error: something is missing\n")
        sys.exit(3)
    if MODE == "mute":
        time.sleep(60)
    for line in sys.stdin:
        frame = json.loads(line)
        if frame["type"] == "control_request":
            answer = {"subtype": "success", "request_id": frame["request_id"], "response": {}}
            put(type="control_response", response=answer)
        elif frame["type"] == "user":
            work()


main()
