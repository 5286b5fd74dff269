"""All three parts together, as a person would use them."""

import tempfile
from pathlib import Path

from todo.cli import main
from todo.store import load

with tempfile.TemporaryDirectory() as folder:
    file = str(Path(folder, "list.json"))
    for text, due in (("c", "2026-03-01"), ("ä", "2026-01-01"), ("b", "2026-02-01")):
        main(["add", file, text, due])
    assert main(["due", file, "2026-02-28"]) == "2026-01-01 ä\n2026-02-01 b"
    assert [item["text"] for item in load(file)] == ["c", "ä", "b"]
