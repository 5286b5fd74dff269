"""Patches as git writes them: the parts of their files, and the names in their headers. Pure text."""

from collections.abc import Iterator

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", '"': '"', "\\": "\\"}


def split_patch(patch: str) -> dict[str, str]:
    """Return the part of each file by its path; what stands before the first file is left out."""
    parts: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in patch.splitlines(keepends=True):
        if line.startswith("diff --git "):
            current = parts.setdefault(_path(line), [])
        if current is not None:
            current.append(line)
    return {path: "".join(lines) for path, lines in parts.items()}


def _path(head: str) -> str:
    """The new path in `diff --git a/x b/x`; both names are the same length unless the file was renamed."""
    rest = head.rstrip("\n").removeprefix("diff --git ")
    half = len(rest) // 2
    one, other = rest[:half], rest[half + 1 :]
    if one.removeprefix("a/") == other.removeprefix("b/"):
        return other.removeprefix("b/")
    return rest.rpartition(" b/")[2]


def unquote(name: str) -> str:
    """Return a path as it is, from git's C-style quoting (`"b/tab\\there"`)."""
    if len(name) < 2 or name[0] != '"' or name[-1] != '"':
        return name
    return b"".join(_unquoted(name[1:-1])).decode("utf-8", "backslashreplace")


def _unquoted(body: str) -> Iterator[bytes]:
    rest = iter(body)
    for char in rest:
        if char != "\\":
            yield char.encode("utf-8", "replace")
            continue
        code = next(rest, "\\")
        if code in "01234567":
            octal = code + next(rest, "") + next(rest, "")
            yield bytes([int(octal, 8) & 0xFF])
        else:
            yield _ESCAPES.get(code, code).encode()
