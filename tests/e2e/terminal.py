"""A real terminal: tmux on a socket of its own, keys typed, screens read."""

import os
import shlex
import subprocess
import time
import uuid
from pathlib import Path


class Terminal:
    def __init__(self, argv, *, env, cwd, width=120, height=36):
        self._socket = f"obra-test-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        command = " ".join(["exec", "env", "-i", *(shlex.quote(f"{k}={v}") for k, v in env.items()), shlex.join(argv)])
        self._tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height), "-c", str(cwd), command,
            ";", "set-option", "remain-on-exit", "on",
        )  # fmt: skip

    def screen(self):
        return self._tmux("capture-pane", "-p").stdout

    def press(self, *keys):
        self._tmux("send-keys", *keys)

    def type(self, text):
        self._tmux("send-keys", "-l", text)

    def wait_for(self, *words, without=(), timeout=60):
        """Return the screen once it shows all words and none of the others; fails with the last screen seen."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            shown = self.screen()
            if all(word in shown for word in words) and not any(word in shown for word in without):
                return shown
            time.sleep(0.1)
        raise AssertionError(f"never saw {words} without {without} on:\n{shown}")

    def listen(self, *words):
        """Wait for a question that swallows keys at first, and until it says no more that it does.

        A screen that is just being drawn may lack that line for one look, so two of them must agree.
        """
        for _ in range(2):
            self.wait_for(*words, without=["keys are not taken yet"])
            time.sleep(0.1)

    def wait_for_end(self, timeout=20):
        """Return the exit status of the program, or the negative number of the signal that ended it."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            dead = "#{pane_dead}:#{pane_dead_status}:#{pane_dead_signal}:#{pane_pid}"
            ended, status, signal, pid = self._tmux("list-panes", "-F", dead).stdout.strip().split(":")
            # The pane is dead as soon as its terminal is closed; the status follows when the process was waited for.
            if ended == "1" and (status or signal):
                return int(status) if status else -int(signal)
            if ended == "1" and (found := _status_of_zombie(pid)) is not None:
                return found
            time.sleep(0.1)
        raise AssertionError(f"still running:\n{self.screen()}")

    def close(self):
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], capture_output=True, check=False)

    def _tmux(self, *args):
        done = subprocess.run(["tmux", "-L", self._socket, *args], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done


def _status_of_zombie(pid):
    """Return the status of a process that has ended but was not waited for: tmux 3.3 forgets one now and then."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    if fields[0] != "Z":
        return None
    return os.waitstatus_to_exitcode(int(fields[-1]))
