"""`ligase lab` as a user runs it: each way of proving, its JSON against the contract's schema, and that nothing of it is
left whatever ends it. It needs none of the session's servers: it brings its own."""
import contextlib
import json
import os
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import jsonschema
import pytest

import gateway

_SCHEMA = json.loads((Path(__file__).parent.parent.parent / "docs" / "contract.schema.json").read_text())
_PATIENCE = 120  # seconds, for a machine that does much else


def _valid(document, name):
    jsonschema.validate(document, {"$ref": f"#/$defs/{name}", "$defs": _SCHEMA["$defs"]})


class _Lab:
    """One `ligase lab`, with a temporary directory of its own to look for leftovers in."""

    def __init__(self, folder, *options):
        self.folder = folder
        self._process = subprocess.Popen([gateway.program(), "lab", *options], env={**os.environ, "TMPDIR": str(folder)},
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait(self):
        out, err = self._process.communicate(timeout=_PATIENCE)
        return self._process.returncode, out, err

    def signal(self, number):
        self._process.send_signal(number)

    def until(self, path, words):
        """Waits until a file of the lab's directory has these words in it."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            for file in self.folder.glob(f"ligase-lab-*/{path}"):
                if words in file.read_text():
                    return
            with contextlib.suppress(subprocess.TimeoutExpired):
                pytest.fail(f"ended with {self._process.wait(timeout=0.002)} before {path} said {words}")
        pytest.fail(f"no {words} in {path}")

    def gateways(self):
        """Processes that serve from this lab's directory."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if f"{self.folder}/ligase-lab-" in entry.read_text():
                    found.append(int(entry.parent.name))
            except (FileNotFoundError, ProcessLookupError):
                pass
        return found

    def assert_nothing_left(self):
        assert list(self.folder.iterdir()) == []
        assert self.gateways() == []


@pytest.fixture
def lab(tmp_path_factory):
    started = []
    folder = tmp_path_factory.mktemp("l")

    def start(*options):
        started.append(_Lab(folder, *options))
        return started[-1]
    yield start
    for one in started:
        if one._process.poll() is None:
            one._process.kill()
            one.wait()


@pytest.mark.parametrize("proof", ["dnssec", "dane", "pkix", "dialback"])
def test_each_way_of_proving_delivers_everything_over_few_connections(lab, proof):
    run = lab("--domains", "6x5", "--proof", proof, "--stanzas", "3", "--json")
    code, out, err = run.wait()
    assert code == 0, err
    document = json.loads(out)
    _valid(document, "lab")
    assert document["domains"] == [6, 5]
    assert document["pairs"] == 60
    assert document["stanzas"] == {"sent": 180, "delivered": 180, "lost": 0, "bounced": 0}
    assert document["connections"]["one_per_pair_and_direction"] == 60
    assert 1 <= document["connections"]["measured"] <= 2
    assert document["proofs"] == {proof: 120}
    assert document["certificates_with_customer_names"] == (2 if proof == "pkix" else 0)
    assert 0 < document["seconds"]["first_connect"] < document["seconds"]["setup"] + _PATIENCE
    run.assert_nothing_left()


def test_the_main_job_as_a_new_user_runs_it(lab):
    run = lab()
    code, out, err = run.wait()
    assert code == 0, out + err
    assert re.search(r"stanzas sent +1600\n", out)
    assert re.search(r"lost +0\n", out)
    assert err == ""  # no terminal: no progress
    run.assert_nothing_left()


def test_more_pairs_at_once_than_a_peer_decides_at_a_time(lab):  # MUX-04: 1,225 claims a direction, 1,000 at a time
    run = lab("--domains", "35x35", "--stanzas", "1", "--json")
    code, out, err = run.wait()
    assert code == 0, err
    document = json.loads(out)
    assert document["stanzas"] == {"sent": 2450, "delivered": 2450, "lost": 0, "bounced": 0}
    assert document["connections"]["measured"] <= 2
    run.assert_nothing_left()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_in_the_middle_leaves_nothing(lab, number):
    run = lab("--domains", "40x40", "--stanzas", "200", "--json")
    run.until("one/ligase.log", "event=pair_proven")
    assert len(run.gateways()) == 2
    run.signal(number)
    code, out, err = run.wait()
    assert code == 3
    assert "interrupted" in err
    _valid(json.loads(out), "error")
    run.assert_nothing_left()


def test_signal_while_it_starts_leaves_nothing(lab):
    run = lab("--domains", "2x2")
    run.until("one/ligase.toml", "[gateway]")
    run.signal(signal.SIGINT)
    code, _, err = run.wait()
    assert code == 3, err
    run.assert_nothing_left()


def test_killed_outright_its_gateways_end_with_it(lab):
    run = lab("--domains", "2x2", "--keep")
    run.until("two/ligase.log", "event=pair_proven")
    ends = select.poll()
    handles = [os.pidfd_open(process) for process in run.gateways()]
    for handle in handles:
        ends.register(handle, select.POLLIN)
    assert len(handles) == 2
    run.signal(signal.SIGKILL)
    run.wait()
    while handles:
        ended = [handle for handle, _ in ends.poll(_PATIENCE * 1000)]
        assert ended, "a gateway outlives its lab"
        for handle in ended:
            ends.unregister(handle)
            os.close(handle)
            handles.remove(handle)
    assert run.gateways() == []


def test_keep_goes_on_until_told_to_end_and_can_be_looked_at(lab):
    run = lab("--domains", "2x3", "--keep")
    how = run._process.stdout
    text = ""
    while "Ctrl-C ends it" not in text:
        line = how.readline()
        assert line, text
        text += line
    socket = re.search(r"--control (\S+one/control.sock) pairs", text)[1]
    answer = subprocess.run([gateway.program(), "ctl", "--control", socket, "--json", "pairs"], capture_output=True,
                            text=True, check=True)
    pairs = json.loads(answer.stdout)
    _valid(pairs, "pairs")
    assert {(pair["local"], pair["remote"], pair["direction"]) for pair in pairs if pair["state"] == "proven"} == {
        (f"sender{i}.tld", f"target{j}.tld", direction) for i in (1, 2) for j in (1, 2, 3) for direction in ("in", "out")}
    run.signal(signal.SIGINT)
    code, _, err = run.wait()
    assert code == 0, err
    run.assert_nothing_left()


@pytest.mark.parametrize("options, code, words", [
    (["--domains", "0x1"], 64, "20x20"),
    (["--domains", "many"], 64, "20x20"),
    (["--domains", "1000x1000", "--stanzas", "100"], 64, "fewer domains"),
    (["--stanzas", "0"], 64, "stanzas"),
    (["--proof", "hope"], 64, "hope"),
    (["--proof", "posh"], 2, "not yet in this version"),
    (["--proof", "mixed"], 2, "not yet in this version"),
    (["--break", "tlsa"], 2, "not yet in this version"),
])
def test_options_that_cannot_be_are_refused_before_anything_starts(lab, options, code, words):
    run = lab(*options, "--json")
    returned, out, err = run.wait()
    assert returned == code, err
    assert words in err and err.startswith("ligase: error: ")
    _valid(json.loads(out), "error")
    run.assert_nothing_left()
