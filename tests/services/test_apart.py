"""What is found in a child is what would be found here, mistakes included."""

import subprocess
import sys
import textwrap

import pytest


def told_by(program: str) -> str:
    """Return what a program of its own says: the tests' own process may have other threads."""
    head = "import os, signal, sys, threading\nfrom obra_tui.bootstrap.apart import begin_apart\nhere = os.getpid()\n"
    done = subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(program)], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout + done.stderr


def test_the_value_comes_from_a_child_that_is_gone_then():
    said = told_by("""
        found = begin_apart(lambda: (os.getpid(), "x" * 1_000_000))
        pid, text = found()
        print(pid != here, len(text))
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            print("no child")
    """)
    assert said == "True 1000000\nno child\n"


@pytest.mark.parametrize(
    "fault", ["raise ValueError('a mistake')", "os.kill(os.getpid(), signal.SIGKILL)", "lambda: 1"]
)
def test_whatever_goes_wrong_in_the_child_is_met_here(fault):
    said = told_by(f"""
        def find():
            if os.getpid() != here:
                {fault}
            raise KeyError("told here")
        try:
            begin_apart(find)()
        except KeyError as error:
            print(error)
    """)
    assert said == "'told here'\n"


def test_beside_other_threads_there_is_no_child():
    said = told_by("""
        end = threading.Event()
        threading.Thread(target=end.wait).start()
        print(begin_apart(os.getpid)() == here)
        end.set()
    """)
    assert said == "True\n"


def test_what_the_child_prints_at_its_end_is_not_printed_twice():
    said = told_by("""
        print("once", end=" ")
        begin_apart(os.getpid)()
    """)
    assert said == "once "
