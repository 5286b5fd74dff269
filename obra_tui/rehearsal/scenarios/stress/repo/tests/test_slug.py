import pytest

slug = pytest.importorskip("toolbox.slug", exc_type=ModuleNotFoundError)


def test_make_slug():
    assert slug.make_slug("Hello, World!") == "hello-world"
    assert slug.make_slug("  a  b ") == "a-b"
