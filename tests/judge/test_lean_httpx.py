"""httpx without the libraries that only its own command line needs."""

import subprocess
import sys

LOADED = """
import sys
import obra_tui.judge.client
print(sorted({"rich", "pygments", "click", "httpx._main"} & set(sys.modules)))
"""


def test_the_client_is_loaded_without_the_command_line_of_httpx():
    assert _run(LOADED) == "[]"


def test_the_part_that_was_left_out_can_still_be_imported_by_others():
    assert _run(LOADED + "import httpx._main\nprint(httpx._main.__name__)").splitlines()[1] == "httpx._main"


def test_a_command_line_that_is_there_already_stays():
    said = _run("import httpx, sys\nthere = sys.modules['httpx._main']\n" + LOADED)
    assert "httpx._main" in said


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


PLAIN = """
import ssl
def refuse(*_, **__):
    raise AssertionError("made settings of TLS")
ssl.SSLContext = ssl.create_default_context = refuse
from obra_tui.judge.client import ModelClient
from obra_tui.judge.config import JudgeConfig
def made_for(url):
    try:
        ModelClient(JudgeConfig(base_url=url))
    except AssertionError as error:
        return str(error)
    return "made none"
print(made_for("http://127.0.0.1:1"), made_for("https://127.0.0.1:1"), sep=", ")
"""


def test_settings_of_tls_are_made_only_where_it_is_spoken():
    assert _run(PLAIN) == "made none, made settings of TLS"
