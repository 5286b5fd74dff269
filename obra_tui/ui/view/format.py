"""Numbers as people read them: short, of steady width, the same everywhere."""

import time
from functools import lru_cache

from obra_tui.core.model import Usage


def duration(seconds: float) -> str:
    """`0:41`, `3:12`, `1:02:03`."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    if hours:
        return f"{hours}:{minutes:02}:{second:02}"
    return f"{minutes}:{second:02}"


def brief(seconds: float) -> str:
    """A short time with its unit: `12 ms`, `1.9 s`, `3:12`."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return duration(seconds)


def ago(seconds: float) -> str:
    """`just now`, `6 min ago`, `3 h ago`, `2 days ago`."""
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 86_400:
        return f"{int(seconds // 3600)} h ago"
    days = int(seconds // 86_400)
    return "1 day ago" if days == 1 else f"{days} days ago"


def money(usd: float) -> str:
    return f"${usd:.2f}" if usd < 100 else f"${usd:.0f}"


def cost_of(usage: Usage) -> str:
    """What it cost; a dash where that is not known, nothing where nothing was used."""
    cost = usage.known_cost
    return "–" if cost is None else money(cost) if cost else ""


def count(number: int) -> str:
    """`842`, `2.1k`, `118k`, `1.2M`."""
    if number < 1000:
        return str(number)
    if number < 10_000:
        return f"{number / 1000:.1f}k"
    if number < 1_000_000:
        return f"{number // 1000}k"
    return f"{number / 1_000_000:.1f}M"


def clock_time(at: float) -> str:
    """Local time of day: `14:02:11`."""
    return _clock_time(int(at))


@lru_cache(maxsize=64)
def _clock_time(second: int) -> str:
    """Many lines are of the same second."""
    return time.strftime("%H:%M:%S", time.localtime(second))


def score(value: float | None) -> str:
    """`0.82`; `–` where there is no evidence, never 0."""
    return "–" if value is None else f"{value:.2f}"


def plural(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
