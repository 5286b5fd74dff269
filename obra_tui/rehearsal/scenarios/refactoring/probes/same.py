"""The refactored renderers against those from before, on tables of every kind."""

import random
import sys
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import before
import tables

dice = random.Random(20260105)
CELLS = [None, True, False, 0, -7, 3.14159, -0.5, 1e9, date(2024, 2, 29), "", "plain", "a,b", 'say "hi"', "ünïcode", "-"]
for _ in range(300):
    wide = dice.randint(1, 5)
    rows = [[dice.choice(CELLS) for _ in range(wide)] for _ in range(dice.randint(1, 6))]
    assert tables.render_text(rows) == before.render_text(rows), rows
    assert tables.render_csv(rows) == before.render_csv(rows), rows
source = Path("tables.py").read_text()
assert source.count(":.2f") == 1, "the formatting of numbers stands in more than one place"
