"""A report on the people in a CSV file, printed as JSON."""

import csv
import json
import sys
from pathlib import Path


def read_people(path: Path) -> list[dict[str, str]]:
    """Return the rows of the file, each by column name."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def average_age(people: list[dict[str, str]]) -> float | None:
    """Return the mean of the ages, or nothing when there is nobody."""
    ages = [int(person["age"]) for person in people]
    return sum(ages) / len(ages) if ages else None


def make_report(people: list[dict[str, str]]) -> dict[str, object]:
    """Return what the report says about the people."""
    cities = sorted({person["city"] for person in people})
    return {"average_age": average_age(people), "cities": cities, "people": len(people)}


if __name__ == "__main__":
    print(json.dumps(make_report(read_people(Path(sys.argv[1])))))
