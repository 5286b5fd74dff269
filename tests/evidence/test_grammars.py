"""Files are read by the grammar of their language, in the sandbox, where no compiler of it is here."""

import pytest

from obra_tui.core.model import CheckStatus
from obra_tui.evidence.discover_syntax import syntax_checks
from obra_tui.evidence.grammars import problems
from tests.evidence.scene import make_scene


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("a.go", "package a\n\nfunc f() int { return 1 }\n", "package a\n\nfunc f( {\n"),
        ("a.rs", "fn f() -> i32 { 1 }\n", "fn f( -> {\n"),
        ("A.java", "class A { int f() { return 1; } }\n", "class A { int f( { }\n"),
        ("a.ts", "export const a: number = 1;\n", "export const a: = ;\n"),
        ("a.tsx", "export const A = () => <b>{1}</b>;\n", "export const A = () => <b>{1</b>;\n"),
        ("a.css", "a { color: red }\n", "a { color: red \n"),
        ("a.json", '{"a": [1, 2]}\n', '{"a": [1, 2}\n'),
        ("a.toml", "a = 1\n", "a = = 1\n"),
        ("a.yaml", "a:\n  - 1\n", "a: [1\nb: }\n"),
        ("a.xml", "<a><b/></a>\n", "<a><b></a>\n"),
        ("a.sh", "if true; then echo; fi\n", "if true; then echo\n"),
        ("a.txt", "anything {[(\n", "<<<<<<< ours\na\n"),
    ],
)
def test_what_the_language_does_not_know_is_named_with_its_line(tmp_path, name, good, bad):
    (tmp_path / name).write_text(good)
    assert not list(problems(str(tmp_path / name)))
    (tmp_path / name).write_text(bad)
    first = next(problems(str(tmp_path / name)))
    assert f"{name}:" in first and (first.endswith(("cannot be read", "left")) or "missing" in first)


def test_templates_files_with_comments_and_bytes_are_not_taken_for_broken_data(tmp_path):
    for name, content in {
        "chart.yaml": b"a: {{ .Values.x }}\nb: {{- if }}\n",
        "tsconfig.json": b'{ // so\n "a": 1, }\n',
        "x.bin": b"\0\1\2",
    }.items():
        (tmp_path / name).write_bytes(content)
        assert not list(problems(str(tmp_path / name)))
    (tmp_path / "latin.txt").write_bytes(b"a\n\xe4\n")
    assert list(problems(str(tmp_path / "latin.txt"))) == [f"{tmp_path}/latin.txt:2: no text in UTF-8"]


async def test_a_grammar_is_asked_in_the_sandbox_and_what_was_unreadable_before_is_not_blamed(tmp_path):
    scene = make_scene(tmp_path, {"a.go": "package a\n", "old.go": "package (\n"})

    async def status(files):
        copy, diff = await scene.work(files)
        [spec] = syntax_checks(scene.project.parent / copy.path, [change.path for change in diff.files])
        result = await scene.checks().run(spec, copy, lambda _: None)
        return result.status, result.output

    assert (await status({"a.go": "package a\n\nvar x = 1\n"}))[0] is CheckStatus.PASSED
    told = await status({"a.go": "package a\n\nvar = =\n"})
    assert told[0] is CheckStatus.FAILED and "a.go:3: cannot be read" in told[1]
    assert (await status({"old.go": "package (\n// more\n"}))[0] is CheckStatus.PASSED
