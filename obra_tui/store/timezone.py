"""The person's time zone, so that a day on a database server is the same day as on the screen.

SQLite knows the zone of this machine by itself; a server has one of its own.
"""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

_LINK = Path("/etc/localtime")
_SET = text("SELECT set_config('timezone', :zone, true)")


def use_local_time(connection: Connection) -> None:
    """Let the server tell days by the zone of this machine, until the end of the transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(_SET, {"zone": local_zone()})


def local_zone() -> str:
    """Return the name of the zone, or its present offset where it has none that is known."""
    named = os.environ.get("TZ", "").removeprefix(":") or _linked()
    return named if _known(named) else _offset()


def _known(name: str) -> bool:
    try:
        return bool(ZoneInfo(name).key)
    except (ValueError, OSError, LookupError):
        return False


def _linked() -> str:
    try:
        target = str(_LINK.resolve(strict=True))
    except OSError:
        return ""
    return target.partition("/zoneinfo/")[2]


def _offset() -> str:
    """PostgreSQL reads `+02:00` as west of Greenwich, as POSIX does; in angle brackets it has a name to show."""
    away = datetime.now().astimezone().utcoffset() or timedelta()
    minutes = int(away.total_seconds()) // 60
    sign, (hours, rest) = ("-" if minutes >= 0 else "+"), divmod(abs(minutes), 60)
    return f"<{time.strftime('%z')}>{sign}{hours:02d}:{rest:02d}"
