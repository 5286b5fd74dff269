"""Who may come in: pairing codes, passwords, devices and their logins, in one private file of the data directory.

What lets somebody in is stored as a hash alone. The command line changes the file beside a running server, so every
look at it reads what is there, and every change is made under a lock.
"""

import fcntl
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.errors import ConfigError, NotAllowed, StoreError, UnknownId
from obra_tui.core.ids import new_id
from obra_tui.core.text import one_line

CODE_S = 600.0
"""How long a pairing code is good for."""
LONGEST = 7
"""A login ends after so many times its idle time, however much it is used."""
SHORTEST_PASSWORD = 10
_NOTED_EVERY_S = 60.0
_MOST_NAME = 60


class DeviceRole(StrEnum):
    VIEWER = "viewer"
    """Sees everything and answers nothing."""
    APPROVER = "approver"


class PairingCode(Struct, frozen=True, kw_only=True):
    hash: str
    role: DeviceRole
    person: str
    until: float


class KnownPassword(Struct, frozen=True, kw_only=True):
    role: DeviceRole
    person: str
    hash: str
    """By argon2id."""


class Device(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    role: DeviceRole
    person: str
    """Who answers with it, as it is stored with a decision: `person:ada`."""
    since: float
    how: str
    """`paired` or `password`."""


class Login(Struct, frozen=True, kw_only=True):
    hash: str
    device: str
    since: float
    seen: float


class AccessBook(Struct, frozen=True, kw_only=True):
    """What the file holds."""

    codes: tuple[PairingCode, ...] = ()
    passwords: tuple[KnownPassword, ...] = ()
    devices: tuple[Device, ...] = ()
    logins: tuple[Login, ...] = ()


class Visitor(Struct, frozen=True, kw_only=True):
    """Somebody who is logged in."""

    device: Device
    secret: str
    """Of this login alone; forms are proven to be ours by it."""

    @property
    def may_answer(self) -> bool:
        return self.device.role is DeviceRole.APPROVER

    def form_token(self) -> str:
        return hmac.new(self.secret.encode(), b"form", hashlib.sha256).hexdigest()

    def owns_form(self, token: str) -> bool:
        return hmac.compare_digest(self.form_token().encode(), token.encode("utf-8", "replace"))


class Access:
    """The file `web/access.json` below the data directory."""

    def __init__(self, data_dir: Path, idle_s: float, now: Callable[[], float] = time.time) -> None:
        self._folder = data_dir / "web"
        self._file = self._folder / "access.json"
        self.idle_s = idle_s
        self._now = now
        self._read: tuple[tuple[int, int, int], AccessBook] | None = None

    # --- coming in ---

    def new_code(self, role: DeviceRole, person: str) -> str:
        """Return a code that pairs one device, once, within ten minutes."""
        code = secrets.token_urlsafe(16)
        made = PairingCode(hash=_hash(code), role=role, person=person, until=self._now() + CODE_S)
        with self._changing() as book:
            self._write(replace(book, codes=(*self._good(book.codes), made)))
        return code

    def knows_code(self, code: str) -> PairingCode | None:
        return next((item for item in self._good(self.book().codes) if _same(item.hash, code)), None)

    def pair(self, code: str, name: str) -> str:
        """Use a code up for a new device; returns the token of its login. Raises `NotAllowed`."""
        with self._changing() as book:
            found = next((item for item in self._good(book.codes) if _same(item.hash, code)), None)
            if found is None:
                raise NotAllowed(
                    "This pairing code is not good: it was used, or its ten minutes are over.",
                    fix="Make another one in the terminal: `obra web pair`.",
                )
            codes = tuple(item for item in self._good(book.codes) if item is not found)
            return self._let_in(replace(book, codes=codes), name, found.role, found.person, "paired")

    def set_password(self, hashed: str, role: DeviceRole, person: str) -> None:
        """Keep the hash of a password; the one of the same role before it is gone, and so are the logins by it."""
        with self._changing() as book:
            others = tuple(item for item in book.passwords if item.role is not role)
            gone = {item.id for item in book.devices if item.how == "password" and item.role is role}
            made = KnownPassword(role=role, person=person, hash=hashed)
            self._write(_without(replace(book, passwords=(*others, made)), gone))

    def log_in(self, password: KnownPassword, name: str) -> str:
        """Let somebody in whose password was found right; returns the token of the login."""
        with self._changing() as book:
            return self._let_in(book, name, password.role, password.person, "password")

    def _let_in(self, book: AccessBook, name: str, role: DeviceRole, person: str, how: str) -> str:
        now, token = self._now(), secrets.token_urlsafe(32)
        shown = one_line(name, _MOST_NAME) or "a browser"
        device = Device(id=new_id("d"), name=shown, role=role, person=person, since=now, how=how)
        login = Login(hash=_hash(token), device=device.id, since=now, seen=now)
        devices, logins = (*book.devices, device), (*self._living(book.logins), login)
        living = {item.device for item in logins}
        kept = tuple(item for item in devices if item.id in living)
        self._write(replace(book, devices=kept, logins=logins))
        return token

    # --- being in ---

    def visitor(self, token: str) -> Visitor | None:
        """Return who comes with this token; None when the login has ended, or never was."""
        if not token:
            return None
        book = self.book()
        login = next((item for item in self._living(book.logins) if _same(item.hash, token)), None)
        device = next((item for item in book.devices if login is not None and item.id == login.device), None)
        if login is None or device is None:
            return None
        if self._now() - login.seen > min(_NOTED_EVERY_S, self.idle_s / 4):
            self._note_seen(login.hash)
        return Visitor(device=device, secret=token)

    def _note_seen(self, hashed: str) -> None:
        with self._changing() as book:
            noted = (replace(item, seen=self._now()) if item.hash == hashed else item for item in book.logins)
            self._write(replace(book, logins=tuple(noted)))

    def log_out(self, token: str) -> None:
        with self._changing() as book:
            login = next((item for item in book.logins if _same(item.hash, token)), None)
            if login is not None:
                self._write(_without(book, {login.device}))

    def end(self, device: str) -> Device:
        """End the login of a device, named by the beginning of its id. Raises `UnknownId`."""
        with self._changing() as book:
            found = [item for item in book.devices if item.id.startswith(device)] if device else []
            if len(found) != 1:
                raise UnknownId(f"There is no one device {device}.", fix="`obra web devices` lists them.")
            self._write(_without(book, {found[0].id}))
        return found[0]

    def devices(self) -> tuple[tuple[Device, Login], ...]:
        """Return the devices whose logins are alive."""
        book = self.book()
        logins = {item.device: item for item in self._living(book.logins)}
        return tuple((item, logins[item.id]) for item in book.devices if item.id in logins)

    # --- the file ---

    def book(self) -> AccessBook:
        try:
            seen = self._file.stat()
            stamp = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
            if self._read is None or self._read[0] != stamp:
                self._read = stamp, msgspec.json.decode(self._file.read_bytes(), type=AccessBook)
        except FileNotFoundError:
            return AccessBook()
        except (OSError, msgspec.MsgspecError) as error:
            raise StoreError(
                f"The list of devices cannot be read: {error}.",
                where=str(self._file),
                fix="Make it readable for you, or delete it: then every device has to be paired again.",
            ) from error
        return self._read[1]

    @contextmanager
    def _changing(self) -> Iterator[AccessBook]:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(
                f"Logins cannot be stored: {error.strerror}.",
                where=str(self._folder),
                fix="Make the data directory writable for you.",
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._read = None
            yield self.book()
        finally:
            os.close(lock)

    def _write(self, book: AccessBook) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(book))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)
        self._read = None

    def _good(self, codes: tuple[PairingCode, ...]) -> tuple[PairingCode, ...]:
        return tuple(item for item in codes if item.until > self._now())

    def _living(self, logins: tuple[Login, ...]) -> tuple[Login, ...]:
        now, idle = self._now(), self.idle_s
        return tuple(item for item in logins if now - item.seen < idle and now - item.since < LONGEST * idle)


def _without(book: AccessBook, devices: set[str]) -> AccessBook:
    return replace(
        book,
        devices=tuple(item for item in book.devices if item.id not in devices),
        logins=tuple(item for item in book.logins if item.device not in devices),
    )


def _hash(secret: str) -> str:
    """Return what a random secret of full length is stored as; a password is hashed by argon2 instead."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _same(hashed: str, secret: str) -> bool:
    return hmac.compare_digest(hashed, _hash(secret))
