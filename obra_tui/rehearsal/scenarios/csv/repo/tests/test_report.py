import json
import subprocess
import sys
from pathlib import Path

import report

ROOT = Path(__file__).parent.parent


def test_average_age():
    assert report.average_age(report.read_people(ROOT / "people.csv")) == 30.0


def test_no_people_have_no_average():
    assert report.average_age([]) is None


def test_the_report_equals_the_baseline():
    command = [sys.executable, "report.py", "people.csv"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == json.loads((ROOT / "baseline.json").read_text())
