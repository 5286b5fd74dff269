"""Where the guides are: beside the program in a checkout, in the environment's `share` when it was installed."""

import re
import sysconfig
from pathlib import Path

import obra_tui
from obra_tui.core.errors import UnknownId

_INSTALLED = Path(sysconfig.get_path("data")) / "share" / "obra" / "guides"
_CHECKOUT = Path(obra_tui.__file__).parent.parent / "docs" / "guides"


def folder() -> Path:
    return _CHECKOUT if _CHECKOUT.is_dir() else _INSTALLED


def guides() -> dict[str, str]:
    """Return the text of every guide by its name, the first one to read first."""
    found = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder().glob("*.md"))}
    return dict(sorted(found.items(), key=lambda item: (item[0] != "getting-started", item[0])))


def guide(name: str) -> str:
    found = guides()
    if name not in found:
        known = ", ".join(found) or "none: this installation has no guides"
        raise UnknownId(f"There is no guide '{name}'.", fix=f"There are: {known}.")
    return found[name]


def title_of(text: str) -> str:
    heading = re.search(r"^# +(.+)$", text, re.MULTILINE)
    return heading.group(1).strip() if heading else ""
