"""Servers as child processes: started, their output kept and waited on, ended by process id whatever happens.

Nothing here sleeps: a reader thread a process files each line and wakes whoever waits for it.
"""
import ctypes
import os
import re
import signal
import subprocess
import threading
import time
from collections import deque
from pathlib import Path

DEADLINE = 30.0  # seconds that any single thing may take before the test fails
KEPT_LINES = 20000
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)

running = []  # every Process that was started and not yet stopped, oldest first


class Gone(AssertionError):
    """What we waited for cannot come any more, or did not come in time."""


def _die_with_parent():
    """In the child: killed by the kernel if the tests die without cleaning up (kill -9, a crash)."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One server. `command` must exec into it, so that its process id is the child's."""

    def __init__(self, name, command, folder, env=None):
        self.name = name
        self.folder = Path(folder)
        self._lines = deque(maxlen=KEPT_LINES)
        self._count = 0  # lines ever seen; the first kept one is number _count - len(_lines)
        self._ended = False
        self._changed = threading.Condition()
        # A session of its own: Ctrl-C reaches pytest alone, which then ends the servers in order.
        self._child = subprocess.Popen(
            [str(word) for word in command], cwd=self.folder, env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=_die_with_parent)
        running.append(self)
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self):
        return self._child.pid

    def _read(self):
        with open(self.folder / f"{self.name}.log", "ab") as file:
            for line in self._child.stdout:
                file.write(line)
                file.flush()
                with self._changed:
                    self._lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                    self._count += 1
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def mark(self):
        """A place in the log, for wait_for(since=…)."""
        with self._changed:
            return self._count

    def lines(self, since=0):
        with self._changed:
            first = self._count - len(self._lines)
            return list(self._lines)[max(0, since - first):]

    def last_lines(self, count=40):
        return "\n".join(self.lines()[-count:])

    def wait_for(self, pattern, deadline=DEADLINE, since=0):
        """The first line at or after `since` that matches `pattern` (a regular expression)."""
        wanted = re.compile(pattern)
        until = time.monotonic() + deadline
        seen = since
        with self._changed:
            while True:
                first = self._count - len(self._lines)
                for line in list(self._lines)[max(0, seen - first):]:
                    if wanted.search(line):
                        return line
                seen = self._count
                left = until - time.monotonic()
                if self._ended:
                    raise Gone(f"{self.name} ended before its log said /{pattern}/:\n{self._tail()}")
                if left <= 0:
                    raise Gone(f"{self.name}: nothing in its log said /{pattern}/ within {deadline:g} s:\n{self._tail()}")
                self._changed.wait(left)

    def wait_changed(self, patience):
        """Until it says something, ends, or `patience` seconds are over."""
        with self._changed:
            if not self._ended:
                self._changed.wait(patience)

    def is_alive(self):
        return self._child.poll() is None

    def _tail(self):  # the lock is held
        return "\n".join(list(self._lines)[-25:])

    def stop(self, how=signal.SIGTERM, patience=10.0):
        """Ends the process and all of its session; returns its exit code (negative: the signal that ended it)."""
        if self in running:
            running.remove(self)
        if self._child.poll() is None:
            self._child.send_signal(how)
        try:
            self._child.wait(patience)
        except subprocess.TimeoutExpired:
            self._child.kill()
        try:
            os.killpg(self.pid, signal.SIGKILL)  # helpers that it left behind; its session is ours alone
        except ProcessLookupError:
            pass
        return self._child.wait()


def stop_all():
    for process in reversed(list(running)):
        process.stop(patience=3.0)
