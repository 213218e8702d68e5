"""`ligase lab` as a user runs it: each way of proving, its JSON against the contract's schema, and that nothing of it is
left whatever ends it. It needs none of the session's servers: it brings its own."""
import contextlib
import json
import os
import re
import select
import signal
import subprocess
import tempfile
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


def test_more_posh_documents_than_a_peer_may_make_us_fetch_at_once(lab):  # AB-216: they wait for one another
    code, out, err = lab("--domains", "20x2", "--proof", "posh", "--json").wait()
    assert code == 0, err
    assert json.loads(out)["stanzas"] == {"sent": 160, "delivered": 160, "lost": 0, "bounced": 0}


@pytest.mark.parametrize("proof", ["dnssec", "dane", "pkix", "posh", "dialback"])
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
    # Authorities are asked on connections of their own (BIDI-04), which are kept for a while.
    assert 1 <= document["connections"]["measured"] <= {"dialback": 3, "pkix": 2, "posh": 2}.get(proof, 1)
    assert document["proofs"] == {proof: 120}
    assert "break" not in document
    assert document["certificates_with_customer_names"] == (2 if proof == "pkix" else 0)
    assert 0 < document["seconds"]["first_connect"] < document["seconds"]["setup"] + _PATIENCE
    run.assert_nothing_left()


_FIFTHS = ["dane", "dnssec", "posh", "pkix", "dialback"]  # of the customers, in turn


def _due(domain):
    return _FIFTHS[(int(re.search(r"[0-9]+", domain)[0]) - 1) % 5]


def test_mixed_each_fifth_is_proven_by_what_it_publishes_in_both_roles(lab):
    run = lab("--domains", "5x10", "--proof", "mixed", "--json")
    code, out, err = run.wait()
    assert code == 0, out + err
    document = json.loads(out)
    _valid(document, "lab")
    assert document["stanzas"] == {"sent": 200, "delivered": 200, "lost": 0, "bounced": 0}
    assert document["proofs"] == {proof: 40 for proof in _FIFTHS}
    assert len(document["pair_proofs"]) == 200
    for pair in document["pair_proofs"]:
        assert pair["proof"] == _due(pair["remote"])
        assert pair["expires_at"] > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert {pair["direction"] for pair in document["pair_proofs"]} == {"in", "out"}
    # A certificate of each provider names a fifth of its customers, in a form that is of no use but for XMPP.
    assert document["certificates_with_customer_names"] == 2
    assert document["certificates_with_customer_names_for_xmpp_only"] == 2
    assert document["connections"]["measured"] <= 4  # two hosts at either side
    run.assert_nothing_left()


def test_mixed_shows_each_proof_with_its_nearest_expiry(lab):
    code, out, err = lab("--domains", "5x5", "--proof", "mixed").wait()
    assert code == 0, err
    for proof in _FIFTHS:
        assert re.search(rf"^  {proof} +20  20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ  ", out, re.MULTILINE), out
    assert "good for XMPP and nothing else" in out


_UNPRIVILEGED = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]


def _can_leave_root(folder):
    """A user without any right may run the program, and have a network of its own."""
    return subprocess.run([*_UNPRIVILEGED, "unshare", "-Urn", gateway.program(), "--version"], cwd=folder,
                          capture_output=True, check=False).returncode == 0


def test_posh_needs_no_root():
    folder = Path(tempfile.mkdtemp(prefix="l", dir="/tmp"))
    try:
        folder.chmod(0o777)
        if not _can_leave_root(folder):
            pytest.skip("no user namespaces here, or the program is not for everybody")
        run = subprocess.run([*_UNPRIVILEGED, gateway.program(), "lab", "--domains", "2x2", "--proof", "posh", "--json"],
                             env={**os.environ, "TMPDIR": str(folder)}, capture_output=True, text=True, check=False,
                             timeout=_PATIENCE)
        assert run.returncode == 0, run.stderr
        assert json.loads(run.stdout)["proofs"] == {"posh": 16}
        assert list(folder.iterdir()) == []
    finally:
        folder.rmdir()


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

    def ctl(*words):
        answer = subprocess.run([gateway.program(), "ctl", "--control", socket, "--json", *words], capture_output=True,
                                text=True, check=True)
        document = json.loads(answer.stdout)
        _valid(document, words[0])
        return document

    pairs = ctl("pairs")
    assert {(pair["local"], pair["remote"], pair["direction"]) for pair in pairs if pair["state"] == "proven"} == {
        (f"sender{i}.tld", f"target{j}.tld", direction) for i in (1, 2) for j in (1, 2, 3) for direction in ("in", "out")}
    told = ctl("explain", "sender1.tld", "target1.tld")
    assert told["verdict"].startswith("sender1.tld reaches target1.tld at ")
    assert {step["result"] for step in told["steps"]} <= {"ok", "skipped"}, told
    ctl("close", "--pair", "sender1.tld", "target1.tld")
    assert [pair["state"] for pair in ctl("pairs")
            if (pair["local"], pair["remote"], pair["direction"]) == ("sender1.tld", "target1.tld", "out")] == ["expired"]
    run.signal(signal.SIGINT)
    code, _, err = run.wait()
    assert code == 0, err
    run.assert_nothing_left()


_REFUSED = [("tlsa", "dane", "dane.mismatch", "ask it to publish both"),
            ("rrsig", "dnssec", "dns.bogus", "signature expired"),
            ("srv-bogus", "dnssec", "dns.bogus", "signature verification failed"),
            ("nameserver-silent", "dnssec", "dns.indeterminate", "try again later")]
_WEAKER = [("cert-expired", "dnssec", "pkix.expired", "certificate has expired"),
           ("cert-wrong-name", "dnssec", "pkix.name", "names no host that the signed SRV record of target3.tld leads to"),
           ("cert-revoked", "dnssec", "pkix.revoked", "revoked"),
           ("posh-loop", "posh", "posh.failed", "/again.json is a reference"),
           ("posh-expired", "posh", "posh.failed", '"expires" is 0'),
           ("posh-mismatch", "posh", "posh.mismatch", "does not list certificate")]


def _broken(run):
    code, out, err = run.wait()
    assert code == 0, out + err
    document = json.loads(out)
    _valid(document, "lab")
    assert document["break"]["is_right"] and document["break"]["wrong"] == []
    assert document["break"]["domain"] == "target3.tld"
    assert document["stanzas"]["lost"] == 0
    assert document["certificates_with_customer_names"] == 0
    run.assert_nothing_left()
    return document


def _assert_only_target3_is_refused(document, proof, stanzas=2):
    """Of 2 x 3 domains: its four pairs, each with an entry at either gateway."""
    assert document["proofs"] == {proof: 16}
    assert document["stanzas"]["delivered"] == 8 * stanzas
    assert document["stanzas"]["bounced"] == 4 * stanzas
    assert {pair["proof"] for pair in document["pair_proofs"]} == {proof}
    assert not any("target3.tld" in (pair["local"], pair["remote"]) for pair in document["pair_proofs"])


@pytest.mark.parametrize("what, proof, reason, words", _REFUSED)
@pytest.mark.parametrize("is_alone", [False, True], ids=["default-policy", "that-proof-alone"])
def test_broken_and_refused_alone(lab, what, proof, reason, words, is_alone):  # O-01, O-02, O-11, I-04, I-12
    document = _broken(lab("--domains", "2x3", "--break", what, "--json", *(["--proof", proof] if is_alone else [])))
    assert document["break"]["reason"] == reason
    assert document["break"]["proof"] is None
    assert document["break"]["says"].startswith(f"target3.tld is refused ({reason}): ")
    assert words in document["break"]["says"]
    _assert_only_target3_is_refused(document, proof)


@pytest.mark.parametrize("what, proof, reason, words", _WEAKER)
def test_broken_and_proven_by_something_weaker(lab, what, proof, reason, words):  # O-17, I-10
    document = _broken(lab("--domains", "2x3", "--break", what, "--json"))
    assert (document["break"]["proof"], document["break"]["reason"]) == ("dialback", reason)
    assert document["break"]["says"].startswith("target3.tld is proven by dialback only: ")
    assert words in document["break"]["says"]
    assert document["stanzas"] == {"sent": 24, "delivered": 24, "lost": 0, "bounced": 0}
    assert document["proofs"] == {proof: 20, "dialback": 4}
    assert all("target3.tld" == pair["remote"] for pair in document["pair_proofs"] if pair["proof"] == "dialback")


@pytest.mark.parametrize("what, proof, reason, words", _WEAKER)
def test_broken_and_refused_where_the_policy_takes_nothing_weaker(lab, what, proof, reason, words):  # O-26
    document = _broken(lab("--domains", "2x3", "--break", what, "--proof", proof, "--json"))
    assert (document["break"]["proof"], document["break"]["reason"]) == (None, reason)
    assert words in document["break"]["says"]
    _assert_only_target3_is_refused(document, proof)


def test_certificate_for_servers_alone_proves_its_provider_in_both_roles(lab):  # I-09
    document = _broken(lab("--domains", "2x3", "--break", "no-eku", "--json"))
    assert (document["break"]["proof"], document["break"]["reason"]) == ("dnssec", None)
    assert document["proofs"] == {"dnssec": 24}


def test_forged_dialback_is_refused_while_the_true_domain_goes_on(lab):  # I-11
    document = _broken(lab("--domains", "2x3", "--break", "dialback-forged", "--json"))
    assert (document["break"]["proof"], document["break"]["reason"]) == ("dialback", "dialback.invalid")
    assert "a claim to be target3.tld from 127.0.0.66:" in document["break"]["says"]
    assert document["proofs"] == {"dialback": 24}
    assert document["stanzas"]["delivered"] == 24


def test_peer_that_is_restarted_is_proven_anew_over_few_connections(lab):  # MUX-04, MUX-06
    document = _broken(lab("--domains", "2x3", "--break", "peer-restart", "--json"))
    assert document["break"]["proof"] == "dnssec"
    assert "system-shutdown" in document["break"]["says"]
    assert document["stanzas"]["delivered"] == 24
    assert document["connections"]["measured"] <= 2


def test_slow_customer_holds_up_nobody_else(lab):  # FLOW-02, FLOW-03
    document = _broken(lab("--domains", "2x3", "--stanzas", "200", "--break", "slow-customer", "--json"))
    assert re.search(r"had arrived after [0-9.]+ s, with [1-9][0-9]* stanzas for it still under way",
                     document["break"]["says"])
    assert document["stanzas"]["lost"] == 0
    assert document["connections"]["measured"] == 1


def test_what_can_be_broken_is_listed_and_each_is_tested_here(lab):
    code, text, _ = lab("--break", "list").wait()
    assert code == 0
    _, out, _ = lab("--break", "list", "--json").wait()
    document = json.loads(out)
    _valid(document, "lab_breakages")
    assert [line.split(maxsplit=1) for line in text.splitlines()] == [[one["what"], one["meaning"]] for one in document]
    tested = {row[0] for row in _REFUSED + _WEAKER} | {"no-eku", "dialback-forged", "peer-restart", "slow-customer"}
    assert {one["what"] for one in document} == tested


def test_what_the_gateway_says_of_something_broken_is_one_line_for_people(lab):
    run = lab("--domains", "2x3", "--break", "tlsa")
    code, out, err = run.wait()
    assert code == 0, err
    assert re.search(r"^the gateway says: target3\.tld is refused \(dane\.mismatch\): .*; ask it to publish both$", out,
                     re.MULTILINE)
    assert "\nthat is right\n" in out
    run.assert_nothing_left()


def test_signal_while_something_is_broken_leaves_nothing(lab):
    run = lab("--domains", "2x2", "--break", "nameserver-silent", "--json")
    run.until("one/ligase.log", "event=pair_proven")
    run.signal(signal.SIGINT)
    code, out, err = run.wait()
    assert code == 3, err
    _valid(json.loads(out), "error")
    run.assert_nothing_left()


@pytest.mark.parametrize("options, code, words", [
    (["--domains", "0x1"], 64, "20x20"),
    (["--domains", "many"], 64, "20x20"),
    (["--domains", "1000x1000", "--stanzas", "100"], 64, "fewer domains"),
    (["--stanzas", "0"], 64, "stanzas"),
    (["--proof", "hope"], 64, "hope"),
    (["--break", "everything"], 64, "--break list"),
    (["--break", "tlsa", "--proof", "dnssec"], 64, "--proof dane"),
    (["--break", "peer-restart", "--stanzas", "1"], 64, "--stanzas 2"),
])
def test_options_that_cannot_be_are_refused_before_anything_starts(lab, options, code, words):
    run = lab(*options, "--json")
    returned, out, err = run.wait()
    assert returned == code, err
    assert words in err and err.startswith("ligase: error: ")
    _valid(json.loads(out), "error")
    run.assert_nothing_left()
