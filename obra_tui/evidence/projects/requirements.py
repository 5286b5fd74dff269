"""What pip installs for tests, as values: read from words of a command line and from the tables of package tools.

Versions in the notation of Poetry are translated, because pip does not know it.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from obra_tui.evidence.projects.reading import Project, table, texts

FOR_TESTS = re.compile(
    r"(?:unit[-_]?)?(?:tests?|testing|dev|develop|development|ci|tests?[-_](?:deps|requirements))", re.I
)
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_REQUIREMENT = re.compile(r"[A-Za-z0-9][\w.-]*(?:\[[\w,. -]+\])?\s*(?:[=<>!~]=?[^;{}]*|@\s*\S+)?\s*(?:;.*)?")
_OWN = re.compile(r"\.(?:\[([\w,\s.-]+)\])?|\./?")
_NOT_FOR_TESTS = re.compile(
    r"pip|setuptools|wheel|build|twine|tox\S*|nox|uv|poetry|hatch|pdm|pipx?|pre-commit|virtualenv|flit|"
    r"coveralls|codecov\S*|black|isort|flake8\S*|pylint|sphinx\S*|mkdocs\S*|cibuildwheel|check-manifest|"
    r"readme-renderer|bump\S*|python-semantic-release|towncrier|pyright",
    re.I,
)
_WITH_VALUE = ("-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--python", "-t")


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to be installed."""

    extras: tuple[str, ...] = ()
    """Extras of the project itself."""
    groups: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __or__(self, other: "Wanted") -> "Wanted":
        return Wanted(
            **{
                name: tuple(dict.fromkeys((*getattr(self, name), *getattr(other, name))))
                for name in self.__struct_fields__
            }
        )


def name_of(requirement: str) -> str:
    """Return the name of what is required, in one spelling."""
    found = _NAME.match(requirement.strip())
    return re.sub(r"[-_.]+", "-", found[0]).casefold() if found else ""


def of_pip(line: str) -> Wanted:
    """Return what the words after `pip install` name; tools that only start tests or publish are left out."""
    try:
        words = iter(shlex.split(line, comments=True))
    except ValueError:
        return Wanted()
    found = Wanted()
    for word in words:
        if word in _WITH_VALUE:
            next(words, "")
        elif word in ("-r", "--requirement", "-e", "--editable", "--group"):
            found |= _of_option(word, next(words, ""))
        elif short := re.fullmatch(r"(-r|-e|--requirement=|--editable=|--group=)(.+)", word):
            found |= _of_option(short[1].rstrip("="), short[2])
        elif not word.startswith("-"):
            found |= _of_word(word)
    return found


def _of_option(option: str, value: str) -> Wanted:
    if option in ("-e", "--editable"):
        return _of_word(value)
    if option == "--group":
        return Wanted(groups=(value,))
    return Wanted(files=(value.removeprefix("./"),))


def _of_word(word: str) -> Wanted:
    if own := _OWN.fullmatch(word):
        return Wanted(extras=tuple(name.strip() for name in (own[1] or "").split(",") if name.strip()))
    if not _REQUIREMENT.fullmatch(word) or _NOT_FOR_TESTS.fullmatch(name_of(word)) or word.endswith((".whl", ".gz")):
        return Wanted()
    return Wanted(names=(word,))


# --- tables of package tools -----------------------------------------------------------------------


def of_tables(project: Project) -> Wanted:
    """Return what the tables of Poetry, PDM and Hatch name for tests, where no lock file of theirs is there."""
    tool = table(project.pyproject, "tool")
    return Wanted(names=(*_poetry(tool), *_pdm(tool), *_uv(tool))) | _hatch(tool)


def _poetry(tool: Mapping[str, object]) -> Iterator[str]:
    poetry = table(tool, "poetry")
    tables = [table(poetry, "dev-dependencies")]
    tables += [
        table(group, "dependencies") for name, group in table(poetry, "group").items() if FOR_TESTS.fullmatch(name)
    ]
    if poetry.get("package-mode") is False:
        tables.append({k: v for k, v in table(poetry, "dependencies").items() if k != "python"})
    for entries in tables:
        for name, value in entries.items():
            yield from _poetry_requirements(name, value)


def _poetry_requirements(name: str, value: object) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        entry = item if isinstance(item, dict) else {"version": item}
        if not isinstance(entry.get("version"), str) and "git" not in entry:
            continue
        extras = ",".join(texts(entry.get("extras")))
        named = f"{name}[{extras}]" if extras else name
        if "git" in entry:
            at = next((f"@{entry[key]}" for key in ("rev", "tag", "branch") if key in entry), "")
            yield f"{named} @ git+{entry['git']}{at}"
            continue
        marker = str(entry.get("markers") or "").replace("'", '"')
        markers = [f"({marker})"] if marker else []
        if isinstance(entry.get("python"), str):
            versions = bounds(str(entry["python"])).split(",")
            markers += [re.sub(r"([=<>!~]+)\s*(.+)", r'python_version \1 "\2"', one) for one in versions if one]
        yield f"{named}{bounds(str(entry['version']))}" + (f" ; {' and '.join(markers)}" if markers else "")


def bounds(constraint: str) -> str:
    """Translate a constraint of Poetry: `^1.2` is `>=1.2,<2`. One with alternatives bounds nothing."""
    if "|" in constraint:
        return ""
    parts = re.sub(r"([\^~<>=!]+)\s+", r"\1", constraint.strip()).replace(" ", ",").split(",")
    return ",".join(filter(None, (_bound(part.strip()) for part in parts)))


def _bound(part: str) -> str:
    if part in ("", "*"):
        return ""
    if part[0] in "^~" and not part.startswith("~="):
        version = part[1:]
        numbers = [int(number) for number in re.findall(r"\d+", version.partition("-")[0])][:3]
        kept = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1) if part[0] == "^" else 1
        kept = min(kept, len(numbers) - 1)
        upper = [*numbers[:kept], numbers[kept] + 1]
        return f">={version},<{'.'.join(map(str, upper))}"
    return part if part[0] in "<>=!~" else f"=={part}"


def _pdm(tool: Mapping[str, object]) -> Iterator[str]:
    groups = table(tool, "pdm", "dev-dependencies")
    chosen = [name for name in groups if FOR_TESTS.fullmatch(name)] or list(groups)
    for name in chosen:
        yield from (line for line in texts(groups[name]) if _REQUIREMENT.fullmatch(line))


def _uv(tool: Mapping[str, object]) -> Iterator[str]:
    yield from texts(table(tool, "uv").get("dev-dependencies"))


def _hatch(tool: Mapping[str, object]) -> Wanted:
    found = Wanted()
    for name, environment in table(tool, "hatch", "envs").items():
        if name not in ("default", "hatch-test") and not FOR_TESTS.fullmatch(name):
            continue
        entries = [
            line for key in ("dependencies", "extra-dependencies") for line in texts(table(environment).get(key))
        ]
        found |= Wanted(
            names=tuple(line for line in entries if "{" not in line), extras=texts(table(environment).get("features"))
        )
    return found


def without_repeats(names: Iterable[str], named: Sequence[str]) -> list[str]:
    """Return one requirement for each name, leaving out what is named already."""
    kept: dict[tuple[str, str], str] = {}
    for line in names:
        name, _, condition = line.partition(";")
        if name_of(name) and name_of(name) not in named:
            kept.setdefault((name_of(name), condition.strip()), line)
    return list(kept.values())
