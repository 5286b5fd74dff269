from pathlib import Path


def test_the_readme_names_the_project():
    assert "Square" in (Path(__file__).parent.parent / "README.md").read_text()
