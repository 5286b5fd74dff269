"""What a disk holds after the power failed: replayed from a record of all that a program asked of it.

`strace` notes every write, sync and change of a name with its bytes. A `Disk` follows that record up to any place and
says what may be left there: all that was synced, and of the rest any part, each sector by itself. Names count as
changed for good only when their folder was synced; those that were not come in order, as a journaling file system
keeps them. Knows nothing of databases.
"""

import re
import subprocess
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
_CALLS = (
    "pwrite64", "write", "fsync", "fdatasync", "ftruncate", "openat", "mkdir", "link", "unlink", "rename",
    "writev", "pwritev", "pwritev2", "linkat", "unlinkat", "renameat", "renameat2", "copy_file_range", "sendfile",
    "fallocate", "truncate", "msync",
)  # fmt: skip
_KNOWN = frozenset(_CALLS[:10])
_LINE = re.compile(r"^(\w+)\((.*)\) += (-?\d+)(?:<.*>)?(?: .*)?$", re.DOTALL)
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_OF_FD = re.compile(r"^(\d+)<((?:\\x[0-9a-f]{2})*)>")


class NoRecord(Exception):
    """There is no strace, or it does not work here."""


@dataclass(frozen=True)
class Call:
    """One call of the program that went well."""

    name: str
    fd: int = -1
    path: str = ""
    data: bytes = b""
    number: int = 0
    """Where it writes, or to which size it cuts."""
    other: str = ""
    flags: str = ""
    answer: int = 0


def record(words, *, cwd, trace):
    """Run a program to its end; return what it asked of the disk. Raises `NoRecord`."""
    strace = ["strace", "-y", "-xx", "-s", "100000000", "-e", f"trace={','.join(_CALLS)}", "-o", str(trace)]
    try:
        done = subprocess.run([*strace, *words], cwd=cwd, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise NoRecord("strace is not installed") from error
    if done.returncode != 0:
        if "ptrace" in done.stderr:
            raise NoRecord(done.stderr[-200:])
        raise AssertionError(done.stderr)
    with trace.open(encoding="ascii") as lines:
        return [call for call in map(_call, lines) if call is not None]


def _call(line):
    found = _LINE.match(line)
    if found is None or int(found[3]) < 0:
        return None
    name, words, answer = found[1], found[2], int(found[3])
    texts = [_bytes(text) for text in _TEXT.findall(words)]
    if on := _OF_FD.match(words):
        path = _bytes(on[2]).decode("utf-8", "replace")
        numbers = re.findall(r"\d+", words.rpartition('"')[2] if texts else words.partition(">")[2])
        number = int(numbers[-1]) if numbers and name in ("pwrite64", "ftruncate") else 0
        data = texts[0][:answer] if texts and name in ("write", "pwrite64") else b""
        return Call(name, int(on[1]), path, data, number, answer=answer)
    paths = [text.decode("utf-8", "replace") for text in texts]
    return Call(name, path=paths[0], other=paths[-1], flags=words.rpartition('"')[2], answer=answer)


def _bytes(text):
    return bytes.fromhex(text.replace("\\x", ""))


@dataclass(eq=False)
class _File:
    """What of a file is on the disk for sure, and the writes that may be."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list = field(default_factory=list)

    def sync(self):
        for at, data in self.pending:
            _put(self.synced, at, data)
        self.pending.clear()

    def left(self, chance):
        content = bytearray(self.synced)
        for at, data in self.pending:
            if data is None or chance.random() < 0.5:
                if data is not None or chance.random() < 0.5:
                    _put(content, at, data)
            elif chance.random() < 0.5:
                for begin in range(0, len(data), SECTOR):
                    if chance.random() < 0.5:
                        _put(content, at + begin, data[begin : begin + SECTOR])
        return bytes(content)


def _put(content, at, data):
    """Write at a place; without data, cut or stretch to that size."""
    if data is None:
        del content[at:]
    end = at + len(data or b"")
    content.extend(bytes(max(0, end - len(content))))
    content[at:end] = data or b""


class Disk:
    """All below one folder."""

    def __init__(self, root):
        self._root = str(root)
        self._names, self._safe = {}, {}
        self._pending = defaultdict(list)
        """Changes of names that were not synced, by folder."""
        self._places = defaultdict(int)
        """Where the next plain write of an open file goes."""

    def follow(self, call):
        if not (call.path.startswith(self._root) or call.other.startswith(self._root)):
            return
        if call.name not in _KNOWN:
            raise NotImplementedError(f"{call.name} on {call.path}: it is not known what a disk makes of it")
        getattr(self, f"_{call.name}")(call)

    def left(self, chance):
        """Return the files that there may be now, by name."""
        names = dict(self._safe)
        for changes in self._pending.values():
            for path, file in changes[: chance.randint(0, len(changes))]:
                _rename(names, path, file)
        return {path: file.left(chance) for path, file in names.items()}

    def _openat(self, call):
        if call.path not in self._names and "O_CREAT" in call.flags:
            self._name(call.path, _File())
        if "O_TRUNC" in call.flags:
            self._names[call.path].pending.append((0, None))
        self._places[call.answer] = 0

    def _pwrite64(self, call):
        self._names[call.path].pending.append((call.number, call.data))

    def _write(self, call):
        self._names[call.path].pending.append((self._places[call.fd], call.data))
        self._places[call.fd] += len(call.data)

    def _ftruncate(self, call):
        self._names[call.path].pending.append((call.number, None))

    def _fsync(self, call):
        if call.path in self._names:
            self._names[call.path].sync()
        else:
            for path, file in self._pending.pop(call.path, ()):
                _rename(self._safe, path, file)

    _fdatasync = _fsync

    def _mkdir(self, call):
        """Folders are there from the start: what they hold is what counts."""

    def _link(self, call):
        self._name(call.other, self._names[call.path])

    def _unlink(self, call):
        self._name(call.path, None)

    def _rename(self, call):
        self._name(call.other, self._names[call.path])
        self._name(call.path, None)

    def _name(self, path, file):
        _rename(self._names, path, file)
        self._pending[str(Path(path).parent)].append((path, file))


def _rename(names, path, file):
    if file is None:
        names.pop(path, None)
    else:
        names[path] = file
