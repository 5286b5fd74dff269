from hypothesis import example, given
from hypothesis import strategies as st

from obra_tui.core.records.search import parse
from obra_tui.core.records.similar import same_files, same_task, similar_words

NOW = 1_763_800_000.0


def test_the_same_task_is_looked_for_by_its_title():
    (clause,) = parse(same_task('Add "retry" to the client'), NOW).clauses
    assert (clause.field, clause.text) == ("task", "Add retry to the client")


def test_the_same_files_are_at_most_two():
    clauses = parse(same_files(["src/a file.py", "b.py", "c.py"]), NOW).clauses
    assert [(clause.field, clause.text) for clause in clauses] == [("file", "src/a file.py"), ("file", "b.py")]


def test_similar_words_are_long_ones_that_not_every_task_has():
    assert similar_words("Please change the calculator so that division by zero raises") == "calculator division"
    assert similar_words("do it") == ""


@given(st.text(max_size=60))
@example(": :")
def test_any_title_makes_a_line_that_is_understood(text):
    for line in (same_task(text), same_files([text]), similar_words(text)):
        assert not parse(line, NOW).doubts or '"' not in line
