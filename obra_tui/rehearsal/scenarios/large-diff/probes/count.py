"""How many there are, by a sieve of our own."""

from primes import TABLE, is_prime

sieve = bytearray([1]) * 50_000
for number in range(2, 224):
    sieve[number * number :: number] = bytes(len(range(number * number, 50_000, number)))
right = [number for number in range(2, 50_000) if sieve[number]]
assert list(TABLE) == right
assert sum(map(is_prime, range(50_000))) == len(right)
