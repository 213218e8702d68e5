"""Loopback addresses of this session's own, and what the kernel knows of the connections between them."""
import random
import socket
import time
from pathlib import Path

from processes import DEADLINE, Gone

_ESTABLISHED = "01"


class Block:
    """A 127.x.y.0/24 that nobody uses: held by a bound socket until the session ends, so two sessions can't share one."""

    def __init__(self):
        for _ in range(200):
            prefix = f"127.{random.randint(20, 250)}.{random.randint(1, 250)}"
            lock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                lock.bind((f"{prefix}.254", 5269))
            except OSError:
                lock.close()
                continue
            self._lock, self._prefix, self._next = lock, prefix, 1
            return
        raise Gone("no free /24 found in 127.0.0.0/8")

    def take(self):
        self._next += 1
        return f"{self._prefix}.{self._next}"

    def close(self):
        self._lock.close()


def _hex(address, port):
    return "%08X:%04X" % (int.from_bytes(socket.inet_aton(address), "little"), port)


def connections_to(address, port):
    """Established connections that the server at address:port has taken, by /proc/net/tcp."""
    local = _hex(address, port)
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(1 for row in rows if row[1] == local and row[3] == _ESTABLISHED)


def wait_port(address, port, process, deadline=DEADLINE):
    """Until something accepts at address:port; fails at once when `process` has ended."""
    until = time.monotonic() + deadline
    while True:
        try:
            socket.create_connection((address, port), timeout=1).close()
            return
        except OSError as error:
            if not process.is_alive() or time.monotonic() > until:
                raise Gone(f"{process.name} does not accept at {address}:{port}: {error}\n{process.last_lines()}") from None
        process.wait_changed(0.05)
