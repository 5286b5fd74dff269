"""Write docs/guides/configuration.md from the settings and their docstrings, so that it cannot grow old.

python scripts/settings.py           rewrite the file
python scripts/settings.py --check   only tell whether it is as it should be
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import fields

from obra_tui.config.early import Section
from obra_tui.config.render import shown, words_of
from obra_tui.config.schema import CheckSettings, Settings, values
from obra_tui.config.trust import is_personal

DOCUMENT = Path(__file__).parent.parent / "docs" / "guides" / "configuration.md"
_HEAD = """\
# Configuration reference

Every setting, its default and what it means; written by `python scripts/settings.py` from the settings themselves.
Where they come from and who wins is told in [settings](settings.md); [`config.toml`](../../config.toml) holds the same
as a file to start from. The environment variable of `gate.policy` is `OBRA_GATE__POLICY`, and so on. *Yours alone*
means: never taken from a project's file.
"""


def document() -> str:
    return _HEAD + "".join(_section(Settings(), "")) + _checks()


def _section(section: Section, table: str) -> Iterator[str]:
    plain = [name for name, value in values(section) if not isinstance(value, Section) and name != "checks"]
    said = (
        " ".join((type(section).__doc__ or "").split()) if table else "At the top of the file, before the first table."
    )
    yield f"\n## {'[' + table + ']' if table else 'General'}\n\n{said}\n\n"
    if plain:
        yield "| setting | default | meaning |\n|---|---|---|\n"
    for name in plain:
        key = f"{table}.{name}" if table else name
        yield _row(key, getattr(section, name), words_of(type(section), name))
    for name, value in values(section):
        if isinstance(value, Section):
            yield from _section(value, f"{table}.{name}" if table else name)


def _row(key: str, value: Any, said: str) -> str:
    default = '"~/.local/share/obra"' if key == "data_dir" else shown(value)
    mine = " *Yours alone.*" if is_personal(key) else ""
    said = said.replace(" Not in a project file.", "")
    return f"| `{key}` | `{_cell(default)}` | {_cell(said)}{mine} |\n"


def _checks() -> str:
    said = " ".join((CheckSettings.__doc__ or "").split())
    rows = "".join(
        f"| `{field.name}` | {'required' if field.required else f'`{_cell(shown(field.default))}`'} "
        f"| {_cell(words_of(CheckSettings, field.name))} |\n"
        for field in fields(CheckSettings)
    )
    return f"\n## [[checks]]\n\n{said}\n\n| setting | default | meaning |\n|---|---|---|\n{rows}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main() -> int:
    text = document()
    if "--check" in sys.argv:
        return 0 if DOCUMENT.exists() and DOCUMENT.read_text(encoding="utf-8") == text else 1
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
