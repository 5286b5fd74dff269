"""A parent for the screen that gives the terminal back, however the screen's process ends.

A process that is killed cannot tidy up: the terminal would stay in the alternate
screen, without a cursor, with the mouse reporting. So the screen runs in a child,
and this parent does nothing but wait. Forks before anything heavy is imported;
loads nothing but the standard library.
"""

import contextlib
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable
from types import FrameType
from typing import IO, Any

from obra_tui.system.oom import STARVED, memory_kills

_RESTORE = (
    "\x1b[?2026l"  # a frame that was begun
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # mouse
    "\x1b[?2004l\x1b[?2048l\x1b[?1004l"  # pasting, resizing, focus
    "\x1b[<u"  # keys
    "\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[0m"  # line wrap, alternate screen, cursor, colours
)
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_LEFT_TO_THE_CHILD = (signal.SIGINT, signal.SIGTSTP)
Handlers = dict[signal.Signals, Any]


def guarded(run: Callable[[], int]) -> int:
    """Return what `run` returns; on a terminal it runs in a child, and its death restores the terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return run()
    before = termios.tcgetattr(sys.stdin.fileno())
    sys.stdout.flush()
    sys.stderr.flush()
    lives, ours = os.pipe()
    killed_before = memory_kills()
    child = os.fork()
    if child == 0:
        os.close(ours)
        _end_with_the_guard(lives)
        return run()
    os.close(lives)
    code = _wait_for(child)
    if code < 0:
        _restore(before)
        starved = code == -signal.SIGKILL and memory_kills() > killed_before
        how = signal.Signals(-code).name + (f"; {STARVED}" if starved else "")
        sys.stderr.write(
            f"Obra was ended by {how}. Sessions are kept: start it again, and it goes on from what was stored.\n"
        )
        return 128 - code
    return code


def _wait_for(child: int) -> int:
    """Return the exit code of the child, or minus the signal that ended it."""
    handlers = _pass_on(child)
    try:
        while True:
            _, status = os.waitpid(child, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                return os.waitstatus_to_exitcode(status)
            # Suspended by the person: the shell must see this process stop, too. It continues both.
            os.kill(os.getpid(), signal.SIGSTOP)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _pass_on(child: int) -> Handlers:
    def hand_over(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    before: Handlers = {number: signal.signal(number, hand_over) for number in _PASSED_ON}
    return before | {number: signal.signal(number, signal.SIG_IGN) for number in _LEFT_TO_THE_CHILD}


def _restore(before: list[Any]) -> None:
    """Give the terminal back as it was; harmless where it is gone, or was tidied up already."""
    with contextlib.suppress(termios.error, OSError):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, before)
        os.write(sys.stdout.fileno(), _RESTORE.encode())


def _end_with_the_guard(lives: int) -> None:
    """End in order when the guard is killed, or when the terminal is gone: nobody would wait for this process then.

    The guard never writes to the pipe; its end closes it. Of a terminal that goes away the kernel tells the leader of
    its session alone, and a leader other than a shell, such as make, need not pass that on. A thread, because it costs
    less than loading what asks the kernel for a signal, and works on every system.
    """
    watched = select.poll()
    watched.register(lives, select.POLLIN)
    watched.register(sys.stdin.fileno(), 0)

    def watch() -> None:
        while True:
            for descriptor, what in watched.poll():
                if descriptor == lives or what & (select.POLLHUP | select.POLLERR):
                    os.kill(os.getpid(), signal.SIGHUP)
                    return
                watched.unregister(descriptor)  # a system that cannot tell

    threading.Thread(target=watch, name="obra-guard", daemon=True).start()


class TerminalOutput:
    """Writes to a terminal for as long as there is one.

    The thread that writes for Textual would die of a terminal that is gone, and the loop then wait for it for ever.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._is_gone = False

    def write(self, text: str) -> int:
        self._unless_gone(lambda: self._file.write(text))
        return len(text)

    def flush(self) -> None:
        self._unless_gone(self._file.flush)

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()

    def _unless_gone(self, act: Callable[[], object]) -> None:
        if not self._is_gone:
            try:
                act()
            except OSError:
                self._is_gone = True


def outlive_the_terminal() -> None:
    """Let what is written to a terminal that is gone be lost, so that the screen can end in order."""
    if sys.__stderr__ is not None:
        sys.__stderr__ = TerminalOutput(sys.__stderr__)  # type: ignore[assignment,misc]  # where Textual writes


def leave_on_signals(leave: Callable[[], None]) -> Callable[[], int]:
    """Call `leave` at the first TERM or HUP; returns what tells the exit code, 0 if none.

    A TERM after that ends at once. A HUP does not: of one terminal that is closed several may come.
    """
    got: list[int] = []

    def asked(number: int, frame: FrameType | None) -> None:
        got.append(number)
        if len(got) > 1 and number != signal.SIGHUP:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        leave()

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, asked)
    return lambda: 128 + got[0] if got else 0


def interrupt_on_signals() -> None:
    """Without a screen, TERM and HUP end a run as Ctrl-C does: in order, with the work kept."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
