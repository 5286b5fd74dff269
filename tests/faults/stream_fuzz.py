# ruff: noqa: T201 - a program with output
"""`python -m tests.faults.stream_fuzz`: a stream of frames, broken in every way that comes to mind, and read.

Lines are cut into random chunks and go through the same steps as Claude Code's:
joined, decoded, translated, followed. Nothing may be raised, what is decoded at once is what is read with care,
memory stays bounded.
"""

import argparse
import json
import random
import sys
import time
import traceback
from collections import Counter

import psutil

from benchmarks.support_claude import frames
from obra_tui.agents.messages import decode_message, message_in
from obra_tui.agents.run_state import RunState
from obra_tui.agents.translate import Translation
from obra_tui.agents.transport import LineJoiner, PipeTransport

_LIMIT = 1 << 20
_VALUES = (
    None,
    True,
    -1,
    1e308,
    10**400,
    "",
    "\x00",
    "\ud800",
    "\x1b]52;c;x\x07",
    [],
    {},
    [[]] * 9,
    {"type": "x"},
    "x" * 999,
)
_RAW = (
    b"\xff\xfe",
    b"\x00",
    b"[" * 3000,
    b'{"a":' * 3000,
    b"9" * 6000,
    b'"\\ud800"',
    b"\xed\xa0\x80",
    b"NaN",
    b"\r",
    b"",
)


def lines(number, chance):
    """Yield so many lines: a third as they should be, a third of the wrong content, a third broken."""
    good = list(frames(400, "END"))
    for _ in range(number):
        frame = chance.choice(good)
        kind = chance.random()
        if kind < 0.33:
            yield json.dumps(frame).encode()
        elif kind < 0.66:
            yield json.dumps(_twisted(frame, chance)).encode()
        else:
            yield _broken(json.dumps(frame).encode(), chance)


def _twisted(value, chance):
    """The frame with some of its values replaced, renamed or left out, at any depth."""
    if chance.random() < 0.12:
        return chance.choice(_VALUES)
    if isinstance(value, dict):
        names = list(value)
        return {
            (chance.choice(names) if chance.random() < 0.05 else name): _twisted(item, chance)
            for name, item in value.items() if chance.random() > 0.05
        }  # fmt: skip
    if isinstance(value, list):
        return [_twisted(item, chance) for item in value]
    return value


def _broken(line, chance):
    """The line with bytes removed, changed or put in."""
    data = bytearray(line)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(3):
            case 0:
                del data[at : at + chance.randint(1, 40)]
            case 1:
                data[at:at] = chance.choice(_RAW)
            case _:
                data[at : at + 1] = bytes([chance.randrange(256)])
    return bytes(data).replace(b"\n", b" ")


def chunks(number, chance, endless):
    """The lines in pieces of any size, and one of them without end."""
    buffer = bytearray()
    for index, line in enumerate(lines(number, chance)):
        buffer += line + b"\n"
        if index == number // 2 and endless:
            for _ in range(endless):
                yield b"x" * (1 << 20)
        if len(buffer) > 1 << 16:
            while buffer:
                size = chance.randint(1, 1 << 15)
                yield bytes(buffer[:size])
                del buffer[:size]
    yield bytes(buffer)


def _ignored(said):
    """Read by hand, further down."""


def _events(message):
    return Translation("/copy").on_message(message, 0.0)


def read(number, seed, endless=0):
    """Return what was counted: lines read, events, notices, faults (with the first few), and the most memory."""
    count, first, process = Counter(), [], psutil.Process()
    transport = PipeTransport(
        None, on_message=_ignored, on_control=_ignored, on_notice=lambda text: count.update(notices=1)
    )
    translation, state, joiner = Translation("/copy"), RunState(began=0.0), LineJoiner(_LIMIT)
    before = process.memory_info().rss
    for index, chunk in enumerate(chunks(number, random.Random(seed), endless)):
        for line in joiner.push(chunk):
            count["lines"] += 1
            try:
                decoded, frame = decode_message(line), transport._frame(line)
                message = decoded or (message_in(frame) if frame is not None else None)
                if message is not None:
                    state.on_message(message, float(index))
                    count["events"] += len(translation.on_message(message, float(index)))
                elif frame is not None:
                    state.on_control(frame, float(index))
                    count["events"] += len(translation.on_control(frame, float(index)))
                if decoded is not None and frame is not None:
                    read_with_care = message_in(frame)
                    assert _events(decoded) == _events(read_with_care), line
            except Exception:  # noqa: BLE001 - what is looked for
                count["faults"] += 1
                first += [traceback.format_exc()] if len(first) < 3 else []
        if index % 200 == 0:
            count["most"] = max(count["most"], process.memory_info().rss)
            count["grown"] = count["most"] - before
    return count, first


def main():
    parser = argparse.ArgumentParser(prog="tests.faults.stream_fuzz")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    count, first = read(options.lines, options.seed, endless=128)
    took = time.monotonic() - began
    print("\n".join(first))
    print(
        f"{count['lines']:,} lines in {took:.0f} s ({count['lines'] / took:,.0f}/s, making them included), "
        f"{count['events']:,} events, {count['notices']:,} notices, {count['faults']} faults, "
        f"memory {count['most'] / 2**20:.0f} MB at most (+ {count['grown'] / 2**20:.0f} MB)"
    )
    return 1 if count["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
