"""The report as it is printed, against the figures and against the baseline file of the repository."""

import json
import subprocess
import sys
from pathlib import Path

printed = subprocess.run([sys.executable, "report.py", "people.csv"], capture_output=True, text=True, check=True).stdout
report = json.loads(printed)
assert report["average_age"] == 30.0, report
assert report["cities"] == ["LA", "NYC", "SF"], report
assert report["people"] == 3, report
assert report == json.loads(Path("baseline.json").read_text()), report
