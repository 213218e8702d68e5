"""How the interop tests are run: options, the session's Internet, and what a failure shows.

Needs root (port 53, mount namespaces) and Debian's packages (`./dev deps`). Traffic stays on 127.0.0.0/8. Whatever was
started is ended at the end, after a failure and after Ctrl-C; if pytest itself is killed the kernel ends the servers.
"""
import os
import signal

import pytest

import gateway
import processes
from internet import Internet
from peers import Generation, generation_of_this_machine
from world import World

_failed = False


def pytest_addoption(parser):
    parser.addoption("--peers", choices=("12", "13"), default=generation_of_this_machine(),
                     help="Prosody and ejabberd of which Debian release (default: this machine's); of another than this "
                          "machine's: in a root of its own, made once")


    parser.addoption("--keep", action="store_true", help="keep logs and configurations, as after a failure")


def pytest_configure(config):
    if os.geteuid() != 0:
        pytest.exit("the interop tests need root: they serve port 53 and mount a resolv.conf for the peers alone; "
                    "run them with sudo", returncode=64)

    try:
        gateway.program()
    except FileNotFoundError as missing:
        pytest.exit(str(missing), returncode=64)

    def end(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, end)  # as Ctrl-C: fixtures are undone


def pytest_unconfigure(config):
    processes.stop_all()


def pytest_report_header(config):
    return f"peers of Debian {config.getoption('--peers')}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the last lines of every server that runs."""
    global _failed
    report = (yield).get_result()
    if report.failed:
        _failed = True
        for process in processes.running:
            report.sections.append((f"{process.name}, last lines", process.last_lines()))


@pytest.fixture(scope="session")
def internet(request):
    made = Internet(Generation(request.config.getoption("--peers")))
    yield made
    keep = _failed or request.config.getoption("--keep")
    made.close(keep)
    if keep:
        print(f"\nlogs and configurations are kept: {made.folder}")


@pytest.fixture
def world(internet, request):
    """A world for one test. Tests that share one make it in a fixture of their own."""
    with World(internet, request.node.name) as made:
        yield made
