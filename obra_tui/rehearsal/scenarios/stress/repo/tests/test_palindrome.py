import pytest

palindrome = pytest.importorskip("toolbox.palindrome", exc_type=ModuleNotFoundError)


def test_is_palindrome():
    assert palindrome.is_palindrome("Never odd or even")
    assert not palindrome.is_palindrome("almost")
