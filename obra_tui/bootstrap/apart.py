"""Finds a value in a child of its own, beside what the parent does meanwhile.

For what takes much to find and little to hold: the settings, which need pydantic to be checked and are a few words
then. What finding them took goes with the child, in time and in memory.
"""

import os
import pickle
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, TypeVar

Found = TypeVar("Found")


def begin_apart(find: Callable[[], Found]) -> Callable[[], Found]:
    """Begin to find; calling what is returned waits for the value and returns it.

    Whatever goes wrong in the child, be it a mistake of the person's, is met again by finding the value here: it is
    told as if there had been no child. So `find` must change nothing.
    """
    if threading.active_count() > 1:
        return find  # a child would have the locks of the other threads, and nobody to release them
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)  # so that writing ends when the parent has
        _find_in_child(find, writer)
    os.close(writer)

    def found() -> Found:
        with os.fdopen(reader, "rb") as pipe:
            content = pipe.read()
        whole = os.waitpid(child, 0)[1] == 0
        return pickle.loads(content) if whole else find()

    return found


def _find_in_child(find: Callable[[], object], writer: int) -> NoReturn:
    code = 1
    with suppress(BaseException):
        content = pickle.dumps(find())
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(content)
        code = 0
    os._exit(code)
