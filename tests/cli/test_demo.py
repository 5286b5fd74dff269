"""`obra demo list`, as a person and as a program read it."""

import sys

from obra_tui.cli.demo import list_demos


class Terminal:
    """Standard output that is a terminal of 60 columns."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def isatty(self):
        return True


def test_the_list_of_rehearsals_breaks_no_word_on_a_terminal(monkeypatch, capsys):
    list_demos(as_json=False)
    plain = capsys.readouterr().out
    monkeypatch.setattr(sys, "stdout", screen := Terminal())
    monkeypatch.setenv("COLUMNS", "60")
    list_demos(as_json=False)
    assert max(map(len, screen.text.splitlines())) <= 60
    assert screen.text.split() == plain.split()
    assert len(plain.splitlines()) < len(screen.text.splitlines()), "a program gets one line for each"
