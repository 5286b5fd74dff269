# ruff: noqa: E501 - expressions are not broken over lines
"""What rules find in the added lines of a work that only a person may let through. Pure.

Code that asks whether it is being tested, or that goes for what tests it, can pass every test and be wrong in use: no
run shows that, so the lines are named. Characters that nobody sees, and links and attributes that lead elsewhere, hide
what was done. Each is one sentence with the place.
"""

import ast
import posixpath
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

from obra_tui.evidence.protect import is_test

MOST = 10
_LONGEST = 4_000
"""Characters of a line that are looked at."""

# --- code that knows of its tests ------------------------------------------------------------------

_CODE = {
    "python": (".py", ".pyi", ".pyx"),
    "node": (".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx", ".vue", ".svelte"),
    "rust": (".rs",),
    "go": (".go",),
    "jvm": (".java", ".kt", ".scala", ".groovy"),
    "other": (".rb", ".php", ".c", ".cc", ".cpp", ".h", ".hpp", ".cs", ".swift", ".sh", ".bash", ".pl", ".lua"),
}
_TESTED = "asks whether it is being tested"
_RUNNER = "reaches for what tests it"
_CALLER = "looks at who calls it"
_ANYWHERE = (
    (
        _TESTED,
        r"PYTEST_\w+|_called_from_test|\bJEST_WORKER_ID\b|\bVITEST\w*\b|NODE_TEST_CONTEXT|NODE_TEST_WORKER_ID|\bOBRA_\w*"
        r"|RUST_TEST_\w+|NEXTEST\w*|\bCARGO_MANIFEST_DIR_TEST\b|/tmp/home\b|\bRSPEC\w*\b|PHPUNIT\w*|SUREFIRE\w*",
    ),
    (_TESTED, r"(?i:(?:NODE|APP|RAILS|RACK|FLASK|DJANGO)_ENV).{0,40}[=!]=.{0,10}[\"'`]test\w*[\"'`]"),
    (_TESTED, r"[\"'`]CI[\"'`]|process\.env\.CI\b|\bCONTINUOUS_INTEGRATION\b"),
    (_TESTED, r"argv\s*\[\s*[01]\s*\].{0,80}(?i:test)|(?i:test).{0,80}argv\s*\[\s*[01]\s*\]"),
    (_RUNNER, r"/proc/(?:self|\d|\$|%|\{|\" ?\+|' ?\+)"),
)
_BY_LANGUAGE = {
    "python": (
        (_TESTED, r"[\"'](?:_?py\.?test|unittest|nose2?|doctest)(?:\.\w+)*[\"']"),
        (_TESTED, r"\bsys\s*\.\s*modules\b(?!\s*\[\s*__name__\s*\])"),
        (_RUNNER, r"^\s*(?:import|from)\s+(?:pytest|_pytest|pluggy|unittest(?!\.mock)|nose2?)\b"),
        (_RUNNER, r"\b(?:gc\s*\.\s*get_(?:objects|referrers|referents)|ctypes\s*\.\s*pythonapi)\b"),
        (_RUNNER, r"\b(?:__code__|__closure__|__builtins__)\b|\bbuiltins\s*\.\s*\w+\s*=[^=]|setattr\(\s*builtins"),
        (_RUNNER, r"\b(?:sys|threading)\s*\.\s*set(?:trace|profile)\b|\bsys\s*\.\s*(?:monitoring|addaudithook)\b"),
        (_CALLER, r"\bsys\s*\.\s*_(?:getframe|current_frames)|\bf_(?:back|locals|globals|trace|lineno)\b|\btb_frame\b"),
        (_CALLER, r"\binspect\s*\.\s*(?:stack|currentframe|getouterframes|trace)\b|\btraceback\s*\.\s*(?:extract|walk)_stack"),
        (_RUNNER, r"[\"']__(?:eq|ne)__[\"']"),
        (_RUNNER, r"\bos\s*\.\s*_exit\b|\bos\s*\.\s*getppid\b"),
    ),
    "node": (
        (_RUNNER, r"\brequire\(\s*[\"'](?:node:)?(?:test|assert(?:/strict)?|vitest|@jest/globals|chai)[\"']\s*\)\s*\.\s*\w+\s*=[^=>]"),
        (_RUNNER, r"(?:require\(|from)\s*[\"'](?:node:test|vitest|@jest/globals|mocha|ava)[\"']"),
        (_RUNNER, r"\bassert(?:\.strict)?\s*\.\s*\w+\s*=[^=>]|\bObject\s*\.\s*is\s*=[^=>]|process\s*\.\s*std(?:out|err)\s*\.\s*write\s*="),
        (_RUNNER, r"\b(?:globalThis|global)\s*\.\s*(?:test|it|describe|expect|assert)\b|\bexitCode\s*=\s*0\b|\bNODE_OPTIONS\b"),
        (_RUNNER, r"\bprocess\s*\.\s*(?:ppid|binding|_\w+)\b|\brequire\s*\.\s*cache\b"),
        (_CALLER, r"\.stack\b.{0,60}(?:includes|match|indexOf|search|split)|\.test\(.{0,60}\.stack\b|prepareStackTrace"),
    ),
    "rust": (
        (_TESTED, r"cfg!\s*\(\s*(?:not\s*\(\s*)?test\b|#!?\[cfg\(\s*not\s*\(\s*test\s*\)\s*\)\]|cfg_attr\(\s*(?:not\s*\(\s*)?test\b"),
        (_RUNNER, r"macro_rules!\s*(?:assert\w*|panic|matches|debug_assert\w*)\b|\bpanic::set_hook\b"),
    ),
    "go": (
        (_TESTED, r"\btesting\s*\.\s*Testing\(|flag\.Lookup\(\s*\"test\.|os\.Args\[0\].{0,60}test|test.{0,60}os\.Args\[0\]"),
        (_RUNNER, r"^\s*(?:import\s+)?(?:\w+\s+)?\"testing\"\s*$"),
        (_CALLER, r"\bruntime\s*\.\s*Callers?\("),
    ),
    "jvm": (
        (_CALLER, r"getStackTrace\(|StackWalker\b"),
        (_RUNNER, r"^\s*import\s+(?:static\s+)?(?:org\.junit|org\.testng|org\.assertj|kotlin\.test)\b|Runtime\.getRuntime\(\)\.halt"),
    ),
    "other": (),
}  # fmt: skip
_PATTERNS = {
    language: tuple((why, re.compile(pattern)) for why, pattern in (*_ANYWHERE, *rows))
    for language, rows in _BY_LANGUAGE.items()
}
_JOINED = re.compile(r"([\"'`])\s*\+?\s*\1")
"""Where one text is put together of two: a name that is looked for may be written in parts."""
_NO_CODE = re.compile(r"^\s*(?:#(?!\[|!\[)|//|\*|/\*)")
_TEST_TOOLS = re.compile(
    r"(?:^|/)(?:conftest|noxfile|setup|test\w*|\w*_test|\w*[.-](?:test|spec))\.\w+$|(?:^|/)(?:tests?|testing|e2e|spec|benchmarks?)/"
)


def language_of(path: str) -> str:
    return next((name for name, endings in _CODE.items() if path.endswith(endings)), "")


def knows_of_tests(lines: Iterable[tuple[str, int, str]]) -> Iterator[str]:
    """Yield a sentence for each added line (path, number, text) of code that has to do with its being tested."""
    for path, number, text in lines:
        language = language_of(path)
        if not language or is_test(path) or _TEST_TOOLS.search(path) or _NO_CODE.match(text):
            continue
        shown = text[:_LONGEST]
        joined = _JOINED.sub("", shown)
        for why, pattern in _PATTERNS[language]:
            if found := pattern.search(shown) or pattern.search(joined):
                yield f"{path}:{number} {why} ({found[0].strip()[:40]}): tests alone cannot show what it does in use."
                break


_Function = ast.FunctionDef | ast.Lambda
_COMPARISONS = frozenset({"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__bool__", "__contains__"})


def equals_everything(path: str, old: str | None, new: str | None) -> str:
    """Return a sentence about a comparison that has one answer for everything, and was not there before."""
    if new is None or not path.endswith(".py") or is_test(path) or "__" not in new:
        return ""
    known = _constant_comparisons(old)
    return next(
        (
            f"{path}:{line} {name} {answer}: tests that compare cannot fail with it."
            for (owner, name), (line, answer) in _constant_comparisons(new).items()
            if (owner, name) not in known and name != "__bool__"
        ),
        "",
    )


def _constant_comparisons(text: str | None) -> dict[tuple[str, str], tuple[int, str]]:
    """Return the comparisons that do not depend on the value that is compared: where they stand, what they answer."""
    try:
        whole = ast.parse(text or "")
    except (SyntaxError, ValueError, RecursionError):
        return {}
    named = {node.name: node for node in whole.body if isinstance(node, ast.FunctionDef)}
    found: dict[tuple[str, str], tuple[int, str]] = {}
    for owner in (node for node in ast.walk(whole) if isinstance(node, ast.ClassDef)):
        for name, function in _methods(owner, named):
            if name in _COMPARISONS and (answer := _answer(name, function)):
                found[owner.name, name] = function.lineno, answer
    return found


def _methods(owner: ast.ClassDef, named: Mapping[str, ast.FunctionDef]) -> Iterator[tuple[str, _Function]]:
    """Yield the methods of a class, also those that are given to it under a name."""
    for node in owner.body:
        match node:
            case ast.FunctionDef(name=name):
                yield name, node
            case ast.Assign(targets=targets, value=ast.Lambda() as given):
                yield from ((target.id, given) for target in targets if isinstance(target, ast.Name))
            case ast.Assign(targets=targets, value=ast.Name(id=known)) if known in named:
                yield from ((target.id, named[known]) for target in targets if isinstance(target, ast.Name))


def _answer(name: str, function: _Function) -> str:
    """Return what a comparison answers whatever the value is; empty if it looks at it."""
    body = [function.body] if isinstance(function, ast.Lambda) else [i for i in function.body if not _is_docstring(i)]
    match body:
        case [ast.Return(value=ast.Constant(value=bool() as answer)) | ast.Constant(value=bool() as answer)]:
            return f"always answers {answer}"
        case [ast.Return(value=ast.Call()) | ast.Call()]:
            return ""  # an object without a value, equal to all of its kind
    first = function.args.args[:1] or ([function.args.vararg] if function.args.vararg else [])
    own = [argument.arg for argument in first]
    reads = {item.id for part in body for item in ast.walk(part) if isinstance(item, ast.Name)}
    returns = isinstance(function, ast.Lambda) or any(isinstance(item, ast.Return) for item in ast.walk(function))
    if name not in ("__eq__", "__ne__") or not returns or reads & {*own, "super", "NotImplemented"}:
        return ""
    return "answers without looking at its own value"


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


# --- what is not seen --------------------------------------------------------------------------------

_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNSEEN = re.compile(
    "[\u00ad\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\U000e0000-\U000e0fff]"
)
_JOINER = re.compile("(?<=[a-zA-Z0-9_])[\u200c\u200d]|[\u200c\u200d](?=[a-zA-Z0-9_])")
_WORD = re.compile(r"[^\W\d_]\w*")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LIKE_LATIN = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH", "MATHEMATICAL")
_STRINGS = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`")


def unseen(lines: Iterable[tuple[str, int, str]]) -> Iterator[str]:
    """Yield a sentence for each added line whose text reads otherwise than it is."""
    for path, number, text in lines:
        if text.isascii() and not _CONTROL.search(text):
            continue
        if why := _why_unseen(path, text[:_LONGEST]):
            yield f"{path}:{number} holds {why}."


def _why_unseen(path: str, text: str) -> str:
    if _DIRECTION.search(text):
        return "characters that turn the direction of the text: it does not read as it runs"
    if _UNSEEN.search(text) or _JOINER.search(text):
        return "characters that nobody sees"
    if _CONTROL.search(text):
        return "control characters: a terminal may show something else"
    if language_of(path) and (word := _mixed(_STRINGS.sub("", text))):
        return f"a name with letters of two scripts that look alike ({word!a})"
    return ""


def _mixed(text: str) -> str:
    """Return a word that mixes Latin letters with ones that look like them."""
    for found in _WORD.finditer(text):
        word = found[0]
        if word.isascii():
            continue
        scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in word if letter.isalpha()}
        if "LATIN" in scripts and scripts & set(_LIKE_LATIN):
            return word
    return ""


# --- what leads elsewhere -------------------------------------------------------------------------------

_TELLING = re.compile(
    r"(?:^|\s)(?:-diff|-text|binary|diff(?:=\S*)?|filter=\S*|merge=\S*|ident|working-tree-encoding=\S*|export-\w+|linguist-generated\S*)(?=\s|$)"
)


def leads_out(path: str, target: str) -> str:
    """Return a sentence about a link that leads out of the tree, or to a place that acts; empty if it stays inside."""
    reached = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if target.startswith("/") or reached == ".." or reached.startswith("../"):
        return f"{path} is a link that leads out of the project ({target[:80]})."
    return ""


def attributes(path: str, lines: Iterable[str]) -> str:
    """Return a sentence about git attributes that hide or convert what is committed."""
    if posixpath.basename(path).casefold() != ".gitattributes":
        return ""
    found = [
        match[0].strip() for line in lines if not line.lstrip().startswith("#") and (match := _TELLING.search(line))
    ]
    return f"{path} tells git to hide or convert files ({', '.join(dict.fromkeys(found))[:80]})." if found else ""


def in_lines(lines: Sequence[tuple[str, int, str]]) -> tuple[str, ...]:
    """Return what is wrong with added lines, at most a few sentences."""
    of_attributes: dict[str, list[str]] = {}
    for path, _, text in lines:
        if posixpath.basename(path).casefold() == ".gitattributes":
            of_attributes.setdefault(path, []).append(text)
    found = (
        *filter(None, (attributes(path, texts) for path, texts in of_attributes.items())),
        *unseen(lines),
        *knows_of_tests(lines),
    )
    return found[:MOST]
