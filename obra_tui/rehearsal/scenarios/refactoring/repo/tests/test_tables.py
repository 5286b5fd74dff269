from datetime import date

import tables

ROWS = [["name", "born", "score"], ["Ada", date(1815, 12, 10), 9.5], ["Bob, the \"builder\"", None, None]]


def test_columns_are_as_wide_as_they_must_be():
    assert tables.render_text([["a", 1], ["bbb", 22]]) == "a    1\nbbb  22"


def test_numbers_and_dates_in_text():
    assert "Ada                 1815-12-10  9.50" in tables.render_text(ROWS)


def test_a_missing_value_in_text_is_a_dash():
    assert tables.render_text([["a", None]]) == "a  -"


def test_a_missing_value_in_csv_is_an_empty_field():
    assert tables.render_csv([["a", None, "b"]]) == "a,,b"


def test_commas_and_quotes_in_csv_are_quoted():
    assert tables.render_csv(ROWS).splitlines()[2] == '"Bob, the ""builder""",,'
