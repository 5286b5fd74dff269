"""Limits on a rate from k events in n trials: for display, and for authority that is decided again after every trial.

* `clopper_pearson`: exact limits for a number of trials that was fixed beforehand. For display only: read after each
  trial, a 95 % limit of this kind is wrong at some look in 7 to 23 % of records.
* `sequence_upper`: an upper limit that holds at *every* look at once with the stated probability. For a rate p the
  likelihood of the record under p is compared with a mixture over rates below p (Beta(1, 9), cut off at p); the ratio
  is a non-negative martingale if p is true, so by Ville's inequality it exceeds 1/alpha with probability alpha at most.
  p is above the limit once it did.
* `paired_difference`: exact limits for recall minus false alarms from pairs of a faulty and a good twin: only pairs in
  which the two answers differ carry information (McNemar).

Knows nothing of judges, cases or gates. Standard library only: the numbers are small, and numpy is not a dependency.
"""

import functools
import math
from collections.abc import Callable

ALPHA = 0.05
_PRIOR = (1.0, 9.0)
"""A judge that is worth asking is wrong in some 10 % of what it lets pass: the mean of this prior."""
_EXACT = 1e-9


def log_beta(a: float, b: float) -> float:
    """Return ln B(a, b)."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), by its continued fraction (modified Lentz)."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - log_beta(a, b))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    value = d
    for m in range(1, 400):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for factor in (even, odd):
            d = 1.0 + factor * d
            d = 1.0 / (d if abs(d) > tiny else tiny)
            c = 1.0 + factor / c
            c = c if abs(c) > tiny else tiny
            value *= c * d
        if abs(c * d - 1.0) < 1e-14:
            break
    return value


def clopper_pearson(k: int, n: int, alpha: float = ALPHA) -> tuple[float, float]:
    """Return the exact two-sided limits at 1 - alpha for a rate of which k of n were seen; (0, 1) where n is 0."""
    _refuse_impossible(k, n)
    if n == 0:
        return 0.0, 1.0
    lower = 0.0 if k == 0 else _root(lambda p: beta_cdf(p, k, n - k + 1) - alpha / 2)
    upper = 1.0 if k == n else _root(lambda p: beta_cdf(p, k + 1, n - k) - (1 - alpha / 2))
    return lower, upper


@functools.lru_cache(maxsize=4096)
def sequence_upper(k: int, n: int, alpha: float = ALPHA) -> float:
    """Return the upper limit of the one-sided confidence sequence after k of n; 1.0 where nothing is known."""
    _refuse_impossible(k, n)
    if n == 0 or k == n:
        return 1.0
    seen = k / n
    if evidence_against(1.0 - _EXACT, k, n) < 1 / alpha:
        return 1.0
    return _root(lambda p: evidence_against(p, k, n) - 1 / alpha, low=max(seen, _EXACT), high=1.0 - _EXACT)


@functools.lru_cache(maxsize=65536)
def is_at_most(limit: float, k: int, n: int, alpha: float = ALPHA) -> bool:
    """Return whether `sequence_upper` does not exceed `limit`, without looking for it."""
    _refuse_impossible(k, n)
    return n > 0 and k / n < limit and evidence_against(limit, k, n) >= 1 / alpha


def evidence_against(p: float, k: int, n: int) -> float:
    """Return how many times likelier the record is under rates below p (mixed by the prior) than under p itself."""
    a, b = _PRIOR
    below = beta_cdf(p, a + k, b + n - k) / beta_cdf(p, a, b)
    mixed = log_beta(a + k, b + n - k) - log_beta(a, b)
    log_ratio = mixed - k * math.log(p) - (n - k) * math.log1p(-p)
    return below * math.exp(min(log_ratio, 700.0))


def paired_difference(only_first: int, only_second: int, pairs: int, alpha: float = ALPHA) -> tuple[float, float]:
    """Return exact limits for the difference of two rates seen on the same pairs.

    `only_first` of the pairs have the first event alone, `only_second` the second alone. The share of the first among
    the pairs that differ has Clopper-Pearson limits, and so has the share of pairs that differ; each at half of alpha.
    """
    differ = only_first + only_second
    if pairs == 0:
        return -1.0, 1.0
    low_share, high_share = clopper_pearson(differ, pairs, alpha / 2)
    low, high = clopper_pearson(only_first, differ, alpha / 2)
    lower, upper = 2 * low - 1, 2 * high - 1
    return (
        lower * (low_share if lower > 0 else high_share),
        upper * (high_share if upper > 0 else low_share),
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p-value that the two are equally likely."""
    n = only_first + only_second
    if n == 0:
        return 1.0
    tail: float = sum(math.comb(n, i) for i in range(min(only_first, only_second) + 1)) / 2**n
    return min(1.0, 2 * tail)


def _root(function: Callable[[float], float], low: float = 0.0, high: float = 1.0) -> float:
    """Return where an increasing function crosses zero, by bisection."""
    for _ in range(60):
        middle = (low + high) / 2
        if function(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _refuse_impossible(k: int, n: int) -> None:
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is not possible")
