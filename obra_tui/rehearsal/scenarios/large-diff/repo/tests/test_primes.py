import pytest

primes = pytest.importorskip("primes", exc_type=ModuleNotFoundError)


def test_small_numbers():
    assert [number for number in range(20) if primes.is_prime(number)] == [2, 3, 5, 7, 11, 13, 17, 19]


def test_the_table_is_complete():
    def divisible(number):
        return any(number % other == 0 for other in range(2, int(number**0.5) + 1))

    assert all(primes.is_prime(number) is not divisible(number) for number in range(2, 50_000, 97))


def test_the_next_prime():
    assert (primes.next_prime(1), primes.next_prime(13)) == (2, 17)


def test_beyond_the_table_is_refused():
    with pytest.raises(ValueError):
        primes.next_prime(50_000)
