"""A program that speaks Claude Code's stream-json protocol and plays a file of events, for two supervisors.

It answers the handshake of the SDK when it is started with `--input-format`, and needs none when it is started
with `-p PROMPT`. Then it says that it is ready, waits until somebody opens the gate, notes the time and plays the
events at once or at a pace. Afterwards it stays, as Claude Code does while it thinks, until its parent leaves.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SESSION = "11111111-1111-4111-8111-111111111111"

PROGRAM = """\
#!{python} -IS
import os, struct, sys, time
folder = {folder!r}
parent = os.getppid()

def put(data):
    while data:
        data = data[os.write(1, data):]

def stay():
    while os.getppid() == parent:
        time.sleep(0.1)
    sys.exit(0)

def play():
    with open(folder + "/events.ndjson", "rb") as file:
        data = file.read()
    open(folder + "/ready", "w").close()
    with open(folder + "/gate", "rb") as gate:
        pace = float(gate.read() or b"0")
    began = time.monotonic()
    with open(folder + "/began.part", "w") as file:
        file.write(repr(began))
    os.rename(folder + "/began.part", folder + "/began")
    if not pace:
        put(data)
    else:
        due = began
        stamps = open(folder + "/stamps", "wb", 0)
        for line in data.splitlines(True):
            rest = due - time.monotonic()
            if rest > 0:
                time.sleep(rest)
            stamps.write(struct.pack("d", time.monotonic()))
            put(line)
            due += 1 / pace
    stay()

if "--input-format" not in sys.argv:
    play()
import json
for line in sys.stdin:
    frame = json.loads(line)
    if frame["type"] == "control_request":
        answer = {{"subtype": "success", "request_id": frame["request_id"], "response": {{}}}}
        put(json.dumps({{"type": "control_response", "response": answer}}).encode() + b"\\n")
    elif frame["type"] == "user":
        play()
"""


@dataclass(frozen=True, slots=True)
class Claude:
    """The program's folder: what it plays and how it is told to begin."""

    folder: Path

    @property
    def program(self) -> Path:
        """The file to run; its folder can stand on a search path."""
        return self.folder / "bin" / "claude"

    def wait_until_ready(self, seconds: float = 60.0) -> None:
        """Wait until it was asked and would begin."""
        _until(lambda: (self.folder / "ready").exists(), seconds, "the scripted claude was not asked anything")

    def begin(self, pace: float = 0.0) -> None:
        """Let it play: at once, or so many events a second."""
        with (self.folder / "gate").open("wb") as gate:
            gate.write(f"{pace}".encode())

    def written(self) -> tuple[float, ...]:
        """When each line was written, as far as it was, when it plays at a pace."""
        data = (self.folder / "stamps").read_bytes()
        return struct.unpack(f"{len(data) // 8}d", data[: len(data) // 8 * 8])

    def began(self) -> float:
        """The moment before its first event, on the monotonic clock."""
        path = self.folder / "began"
        _until(path.exists, 10.0, "the scripted claude did not begin")
        return float(path.read_text())


def make_claude(folder: Path, events: int, mark: str) -> Claude:
    """Write the program and so many events, the last of which says `mark`."""
    (folder / "bin").mkdir(parents=True)
    os.mkfifo(folder / "gate")
    claude = Claude(folder)
    claude.program.write_text(PROGRAM.format(python=os.path.realpath(sys.executable), folder=str(folder)))
    claude.program.chmod(0o755)
    with (folder / "events.ndjson").open("w") as file:
        file.writelines(json.dumps(frame) + "\n" for frame in frames(events, mark))
    return claude


def frames(events: int, mark: str) -> Iterator[dict[str, object]]:
    """Yield whole messages, as `--output-format stream-json --verbose` prints them: texts and calls in turn.

    Both supervisors show every text and every call. Not counted: the opening message, and the result of each call.
    """
    opening = {"model": "scripted", "claude_code_version": "0.0.0", "cwd": ".", "permissionMode": "default"}
    yield {"type": "system", "subtype": "init", "session_id": SESSION, **opening}
    for number in range(events - 1):
        if number % 2 == 0:
            yield _text(number, _SENTENCES[number % len(_SENTENCES)])
        else:
            yield _call(number)
            yield _answer(number)
    yield _text(events, f"{mark} is the last word.")


_SENTENCES = (
    "I look at the parser first, because the failing test goes through it before anything else does.",
    "The function returns early when the list is empty; that is what the second test complains about.",
    "Two callers rely on the old order of the arguments, so I change them together with the definition.",
)


def _text(number: int, text: str) -> dict[str, object]:
    return _message(number, {"type": "text", "text": text})


def _call(number: int) -> dict[str, object]:
    given = {"file_path": f"src/module_{number % 37}.py", "offset": number % 400}
    return _message(number, {"type": "tool_use", "id": f"toolu_{number:06d}", "name": "Read", "input": given})


def _answer(number: int) -> dict[str, object]:
    lines = "\n".join(f"{line:5}\tvalue_{line} = table[{number}].get({line})" for line in range(1, 13))
    block = {"type": "tool_result", "tool_use_id": f"toolu_{number:06d}", "content": lines, "is_error": False}
    message = {"role": "user", "content": [block]}
    return {"type": "user", "message": message, "parent_tool_use_id": None, "session_id": SESSION}


def _message(number: int, block: dict[str, object]) -> dict[str, object]:
    usage = {"input_tokens": 1200 + number, "output_tokens": 1, "cache_read_input_tokens": 0}
    message = {"id": f"msg_{number:06d}", "type": "message", "role": "assistant", "model": "scripted"}
    whole = {**message, "content": [block], "stop_reason": None, "usage": usage}
    return {"type": "assistant", "message": whole, "parent_tool_use_id": None, "session_id": SESSION}


def _until(condition: object, seconds: float, what: str) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.005)
