"""Libraries that are loaded when they are needed, and not before: a run without a screen does without their 6 MB.

OpenSSL above all. Nearly every such run speaks plain HTTP to a model on the same machine, and yet asyncio, anyio and
httpcore all import `ssl`, and `hashlib` takes its sums from OpenSSL. Here `ssl` is a module that loads itself when
something of it is asked for, and `hashlib` takes the sums that come with Python. Whoever speaks TLS notices nothing
but the moment that loading takes: the judge by https, a server of PostgreSQL, a proxy.

The others are imported by libraries for what is never asked of them here: what is installed, and addresses in other
scripts.
"""

import importlib
import importlib.util
import sys
import threading
from collections.abc import Sequence, Set
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_LATE = ("importlib.metadata", "idna")
_OF_TLS = ("ssl", "asyncio.sslproto")
"""asyncio's part for TLS looks into `ssl` when it is loaded, so it is late, too."""
_ASKED_FOR_EARLY = frozenset({"SSLContext", "SSLSocket"})
"""asyncio asks of every socket whether it is one of TLS, and anyio has such a type in an annotation."""
_OF_OPENSSL = "_hashlib"
_SUMS = ("_md5", "_sha1", "_sha3", "_blake2")
"""What `hashlib` takes where there is no OpenSSL; some distributions leave them out."""
_SUMS_OF_2 = ({"_sha256", "_sha512"}, {"_sha2"})


def load_when_needed() -> None:
    """Call this before asyncio is imported; what is loaded already is left as it is."""
    late = (*_LATE, *_OF_TLS) if _is_there("_ssl") else _LATE
    finder = _Finder(frozenset(late))
    sys.meta_path.insert(0, finder)
    try:
        for name in late:
            importlib.import_module(name)  # as one that loads itself
    finally:
        sys.meta_path.remove(finder)
    if all(map(_is_there, _SUMS)) and any(all(map(_is_there, names)) for names in _SUMS_OF_2):
        _hash_without_openssl()


def _is_there(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _hash_without_openssl() -> None:
    if _OF_OPENSSL in sys.modules:
        return
    sys.modules[_OF_OPENSSL] = None  # type: ignore[assignment]  # how Python is told that there is no such module
    try:
        importlib.import_module("hmac")  # and hashlib with it
    finally:
        del sys.modules[_OF_OPENSSL]


class _Finder(MetaPathFinder):
    def __init__(self, names: Set[str]) -> None:
        self._names = names

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name in self._names else None
        if spec is None or spec.loader is None:
            return None
        spec.loader = _Later(spec.loader)
        return spec


class _Later(Loader):
    """Carries a module out when something of it is asked for the first time, once, whichever thread asks."""

    def __init__(self, real: Loader) -> None:
        self._real = real
        self._lock = threading.RLock()
        self._begun = False

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _LateModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Not now."""

    def load(self, module: ModuleType) -> None:
        with self._lock:
            if self._begun:  # by another thread, which is done; or by this one, which looks at its own beginning
                return
            self._begun = True
            try:
                self._real.exec_module(module)
            except BaseException:
                self._begun = False  # want of open files, perhaps: whoever asks next tries again
                raise
            module.__class__ = ModuleType
            module.__loader__ = self._real
            if module.__spec__ is not None:
                module.__spec__.loader = self._real


class _LateModule(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # asked for by the machinery of imports
        if name in _ASKED_FOR_EARLY:
            return _LateType(self, name)
        return _of(self, name)


class _LateType:
    """Stands for a class of a module that is not loaded: there can be nothing yet that belongs to it."""

    def __init__(self, module: ModuleType, name: str) -> None:
        self._module = module
        self._name = name

    def __instancecheck__(self, thing: object) -> bool:
        return self._name in vars(self._module) and isinstance(thing, _of(self._module, self._name))

    def __call__(self, *args: Any, **more: Any) -> Any:
        return _of(self._module, self._name)(*args, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(_of(self._module, self._name), name)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (_of(self._module, self._name),)


def _of(module: ModuleType, name: str) -> Any:
    loader = getattr(module.__spec__, "loader", None)
    if isinstance(loader, _Later):
        loader.load(module)
    try:
        return vars(module)[name]
    except KeyError:
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=module) from None
