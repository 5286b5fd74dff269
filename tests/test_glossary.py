"""One thing has one name: the words that `docs/glossary.md` replaces are in no identifier, document or text."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GLOSSARY = ROOT / "docs" / "glossary.md"
SOURCES = ("obra_tui", "widgets")
OF_OTHERS = {"scenarios"}
"""Rehearsals play projects of people who have words of their own."""
OF_THE_PAST = {"archive", "reports", "decisions"}


def rows(text):
    """Return the first and the last cell of every row of the glossary's tables."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return [(first, last) for first, _, last in cells if first.startswith("**")]


def replaced_names(text):
    return [name for _, cell in rows(text) for name in re.findall(r"`([^`]+)`", cell)]


def replaced_phrases(text):
    return [phrase for _, cell in rows(text) for phrase in re.findall(r'"([^"]+)"', cell)]


def parts_of(name):
    """`PlanFileReader` and `plan_file_reader` are both `_plan_file_reader_`."""
    return f"_{re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', name).lower().strip('_')}_"


def names_with(word, names):
    return sorted(name for name in names if parts_of(word) in parts_of(name))


def has_phrase(phrase, text):
    words = r"\s+".join(re.escape(word) for word in phrase.split())
    return re.search(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE) is not None


@cache
def sources():
    files = [path for folder in SOURCES for path in (ROOT / folder).rglob("*.py")]
    return {path: ast.parse(path.read_text("utf-8")) for path in files if not OF_OTHERS & set(path.parts)}


@cache
def identifiers():
    """Return what the code itself names, with one file that does; names of libraries are only used, never given."""
    found = {}
    for path, tree in sources().items():
        found[path.stem] = path
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found[node.name] = path
            elif isinstance(node, ast.arg):
                found[node.arg] = path
            elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
                found[node.id if isinstance(node, ast.Name) else node.attr] = path
    return found


@cache
def texts():
    """Return every text of the source, docstrings included, and every document that speaks of today."""
    found = {
        f"{path.relative_to(ROOT)}:{node.lineno}": node.value
        for path, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for path in documents:
        if path not in (GLOSSARY, ROOT / "CHANGELOG.md") and not OF_THE_PAST & set(path.parts):
            found[str(path.relative_to(ROOT))] = path.read_text("utf-8")
    return found


TEXT = GLOSSARY.read_text("utf-8")


def test_every_term_and_every_word_stands_in_the_glossary_once():
    terms = [term for term, _ in rows(TEXT)]
    assert len(terms) == len(set(terms)) >= 30
    assert [term for term, cell in rows(TEXT) if cell != "–" and not re.search(r'[`"]', cell)] == []
    words = [*replaced_names(TEXT), *replaced_phrases(TEXT)]
    assert len(words) == len(set(words))


def test_every_file_and_class_that_the_glossary_names_exists():
    named = re.findall(r"`([\w/]+\.py|[\w/]+/)`", TEXT)
    missing = [name for name in named if not any((ROOT / folder / name).exists() for folder in ("", *SOURCES))]
    classes = re.findall(r"`([A-Z]\w+[a-z]\w*)`", TEXT)
    assert not missing
    assert not [name for name in classes if name not in identifiers()]


@pytest.mark.parametrize("word", replaced_names(TEXT))
def test_no_identifier_has_a_word_that_was_replaced(word):
    found = {name: str(identifiers()[name].relative_to(ROOT)) for name in names_with(word, identifiers())}
    assert not found, f"docs/glossary.md has another term for `{word}`"


@pytest.mark.parametrize("phrase", replaced_phrases(TEXT))
def test_no_text_has_a_phrase_that_was_replaced(phrase):
    found = [place for place, text in texts().items() if has_phrase(phrase, text)]
    assert not found, f'docs/glossary.md has another term for "{phrase}"'


def test_a_replaced_word_is_found_inside_longer_names_and_across_line_ends_but_not_inside_other_words():
    names = ["PlantReader", "_plant", "read_plant_now", "plants", "implanted"]
    assert names_with("plant", names) == ["PlantReader", "_plant", "read_plant_now"]
    assert has_phrase("present stage", "after the Present\n    stage.")
    assert not has_phrase("present stage", "present stages")
