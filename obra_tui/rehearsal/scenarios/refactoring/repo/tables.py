"""Rows as text and as CSV."""

from collections.abc import Sequence
from datetime import date

Cell = str | int | float | date | None


def render_text(rows: Sequence[Sequence[Cell]]) -> str:
    """Return the rows as lines, cells two blanks apart, each column as wide as it must be."""
    cells = []
    for row in rows:
        line = []
        for cell in row:
            if cell is None:
                line.append("-")
            elif isinstance(cell, bool):
                line.append("yes" if cell else "no")
            elif isinstance(cell, float):
                line.append(f"{cell:.2f}")
            elif isinstance(cell, date):
                line.append(cell.isoformat())
            else:
                line.append(str(cell))
        cells.append(line)
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells)


def render_csv(rows: Sequence[Sequence[Cell]]) -> str:
    """Return the rows as CSV; a missing value is an empty field."""
    lines = []
    for row in rows:
        line = []
        for cell in row:
            if cell is None:
                line.append("")
            elif isinstance(cell, bool):
                line.append("yes" if cell else "no")
            elif isinstance(cell, float):
                line.append(f"{cell:.2f}")
            elif isinstance(cell, date):
                line.append(cell.isoformat())
            else:
                text = str(cell)
                if "," in text or '"' in text:
                    text = '"' + text.replace('"', '""') + '"'
                line.append(text)
        lines.append(",".join(line))
    return "\n".join(lines)
