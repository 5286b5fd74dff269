from pathlib import Path


def test_the_readme_names_the_project():
    assert "To do" in (Path(__file__).parent.parent / "README.md").read_text()
