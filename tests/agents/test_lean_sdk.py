"""The SDK without the library that it needs only for tool servers in its own process."""

import subprocess
import sys

CODE = """
import sys
from obra_tui.agents.claude_code import warm_up
warm_up()
import claude_agent_sdk
left_out = ("mcp", "mcp_types", "starlette", "jsonschema", "attr")
print(sorted(name for name in sys.modules if name.partition(".")[0] in left_out))
"""


def test_the_sdk_is_loaded_without_its_tool_servers():
    assert _run(CODE) == "[]"


def test_the_left_out_library_can_still_be_imported_by_others():
    assert _run(CODE + "import mcp.types\nprint(mcp.types.Tool.__name__)").splitlines()[1] == "Tool"


def test_the_left_out_checker_of_schemas_can_still_be_imported_by_others():
    said = _run(CODE + "import jsonschema\nprint(jsonschema.ValidationError.__mro__[-3])").splitlines()
    assert said[1] == str(Exception)


def test_a_library_that_is_there_already_is_used_as_it_is():
    found = _run("import mcp.types\n" + CODE + "print(claude_agent_sdk.ToolAnnotations.__mro__[1].__module__)")
    assert "_types" in found.splitlines()[1]


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
