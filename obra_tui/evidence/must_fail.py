"""A test that must fail, laid beside the project's own: does the runner say so of it?

Outside of the witness what a runner reports comes from where the tested code can reach: it may print the report itself,
end the process well, or make every comparison succeed. Such a test loads the changed code first, and then compares what
is not equal. A check that passes with it is not to be believed, unless it never looked at it. Pure.
"""

import json
import posixpath
import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from obra_tui.evidence.protect import is_test

_SCRIPT = (".js", ".cjs", ".mjs", ".ts", ".cts", ".mts", ".jsx", ".tsx")
_NODE_TEST = re.compile(r"^(?P<stem>.+?)(?P<kind>[._-](?:test|spec))(?P<ending>\.[cm]?[jt]sx?)$")
_MOST_LOADED = 5
_PYTHON_WAYS = ("self.assertEqual(1, 2)", "self.assertTrue(False)", "self.assertIn(1, [])", "assert 1 == 2", "1 / 0")
_NODE_WAYS = (
    *("assert.strictEqual(1, 2)", "assert.equal(1, 2)", "assert.deepStrictEqual([1], [2])", "assert.ok(false)"),
    *("assert(false)", "throw new Error('must fail')"),
)
_EXPECTED_WAYS = ("expect(1).toBe(2)", "expect([1]).toEqual([2])", "expect(true).toBeFalsy()")
_INNER = re.compile(r"^src/|^lib/")


class Planted(Struct, frozen=True, kw_only=True):
    """A file that is laid over the tree: a new one, or a changed one with more at its end."""

    path: str
    text: str


def nearest(tests: Iterable[str], changed: Iterable[str]) -> tuple[str, ...]:
    """Return the test files, first those that lie next to what was changed."""
    folders = [posixpath.dirname(path).split("/") for path in changed]

    def apart(path: str) -> tuple[int, str]:
        own = posixpath.dirname(path).split("/")
        return -max((len(posixpath.commonprefix([own, folder])) for folder in folders), default=0), path

    return tuple(sorted(tests, key=apart))


def planted(tests: Iterable[str], texts: Mapping[str, str], changed: Iterable[str], mark: str) -> tuple[Planted, ...]:
    """Return the tests that must fail, one for each language of the change.

    `tests` are the test files of before, `texts` the content of what is needed of them and of the changed files, and
    `mark` a word that nobody can know beforehand: it names the tests.
    """
    there = tuple(changed)
    code = [path for path in there if path in texts and not is_test(path)]
    found: list[Planted] = []
    for make in (_python, _node, _go, _rust):
        found.extend(make(tuple(tests), texts, tuple(code), mark))
    return tuple(found)


def _python(tests: tuple[str, ...], texts: Mapping[str, str], code: tuple[str, ...], mark: str) -> Iterable[Planted]:
    beside = next((path for path in tests if re.fullmatch(r"test.*\.py", posixpath.basename(path))), "")
    modules = [name for path in code if (name := _module(path))][:_MOST_LOADED]
    if not beside or not modules:
        return
    loads = "".join(f"try:\n    import {name}\nexcept Exception:\n    pass\n" for name in modules)
    ways = "".join(f"    def test_{mark}_{at}(self):\n        {way}\n\n" for at, way in enumerate(_PYTHON_WAYS))
    yield Planted(
        path=posixpath.join(posixpath.dirname(beside), f"test_{mark}.py"),
        text=f"import unittest\n\n{loads}\n\nclass Test{mark.title()}(unittest.TestCase):\n{ways}",
    )


def _module(path: str) -> str:
    """Return the name by which a Python file is imported, or nothing where that is not plain."""
    if not path.endswith(".py"):
        return ""
    parts = _INNER.sub("", path).removesuffix(".py").removesuffix("/__init__").split("/")
    return ".".join(parts) if all(part.isidentifier() for part in parts) else ""


def _node(tests: tuple[str, ...], texts: Mapping[str, str], code: tuple[str, ...], mark: str) -> Iterable[Planted]:
    loaded = [path for path in code if path.endswith(_SCRIPT)][:_MOST_LOADED]
    beside = next((path for path in tests if path.endswith(_SCRIPT) and path in texts), "")
    if not beside or not loaded:
        return
    folder, name = posixpath.split(beside)
    named = _NODE_TEST.match(name)
    own = f"{mark}{named['kind']}{named['ending']}" if named else f"{mark}{posixpath.splitext(name)[1]}"
    places = [_relative(path, folder) for path in loaded]
    yield Planted(path=posixpath.join(folder, own), text=_script(texts[beside], places, mark))


def _relative(path: str, folder: str) -> str:
    found = posixpath.relpath(path, folder or ".")
    return found if found.startswith(".") else f"./{found}"


def _script(like: str, places: list[str], mark: str) -> str:
    """Return a test in the manner of another one: how it gets `test`, and by which kind of modules."""
    is_module = re.search(r"^\s*import\s.+\sfrom\s|^\s*import\s*[\"']", like, re.M) is not None
    tools = next((name for name in ("node:test", "vitest", "@jest/globals", "bun:test") if name in like), "")
    lines = []
    if tools:
        got = "test, expect" if tools != "node:test" else "test"
        lines.append(f"import {{ {got} }} from '{tools}';" if is_module else f"const {{ {got} }} = require('{tools}');")
    else:
        lines.append("const run = globalThis.test || globalThis.it;")
    lines.append("import assert from 'node:assert';" if is_module else "const assert = require('node:assert');")
    load = "await import({0})" if is_module else "require({0})"
    loads = " ".join(f"try {{ {load.format(json.dumps(place))}; }} catch {{}}" for place in places)
    ways = _NODE_WAYS if tools == "node:test" or "expect(" not in like else (*_EXPECTED_WAYS, *_NODE_WAYS[-1:])
    run = "test" if tools else "run"
    lines += [f"{run}('{mark} {at}', async () => {{ {loads} {way}; }});" for at, way in enumerate(ways)]
    return "\n".join([*lines, ""])


def _go(tests: tuple[str, ...], texts: Mapping[str, str], code: tuple[str, ...], mark: str) -> Iterable[Planted]:
    for path in code:
        package = re.search(r"^package\s+(\w+)", texts[path], re.M) if path.endswith(".go") else None
        folder = posixpath.dirname(path)
        if package and any(posixpath.dirname(test) == folder and test.endswith("_test.go") for test in tests):
            yield Planted(
                path=posixpath.join(folder, f"{mark}_test.go"),
                text=(
                    f'package {package[1]}\n\nimport "testing"\n\n'
                    f'func Test{mark.title()}(t *testing.T) {{\n\tt.Fatal("must fail")\n}}\n'
                ),
            )
            return


def _rust(tests: tuple[str, ...], texts: Mapping[str, str], code: tuple[str, ...], mark: str) -> Iterable[Planted]:
    for path in code:
        if path.endswith(".rs") and "src/" in f"/{path}" and "#[test]" in texts[path]:
            inner = f"    #[test]\n    fn {mark}() {{\n        assert_eq!(1, 2);\n    }}\n"
            more = f"\n#[cfg(test)]\nmod {mark} {{\n{inner}}}\n"
            yield Planted(path=path, text=texts[path] + more)
            return
