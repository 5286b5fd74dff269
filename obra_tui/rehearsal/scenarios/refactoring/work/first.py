"""Rows as text and as CSV."""

from collections.abc import Sequence
from datetime import date

Cell = str | int | float | date | None


def format_cell(cell: Cell) -> str:
    """Return a cell as text: two decimals, ISO dates, `yes` and `no`, and `-` for a missing value."""
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.2f}"
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def render_text(rows: Sequence[Sequence[Cell]]) -> str:
    """Return the rows as lines, cells two blanks apart, each column as wide as it must be."""
    cells = [[format_cell(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells)


def render_csv(rows: Sequence[Sequence[Cell]]) -> str:
    """Return the rows as CSV; a missing value is an empty field."""
    return "\n".join(",".join(_quoted(format_cell(cell)) for cell in row) for row in rows)


def _quoted(text: str) -> str:
    if "," in text or '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return text
