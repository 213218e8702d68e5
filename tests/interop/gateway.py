"""ligase as the tests run it: a configuration such as an operator would write, the program, and its control socket."""
import json
import os
import subprocess
from pathlib import Path

from addresses import connections_to
from processes import Process

S2S, COMPONENT = 5269, 5347
SECRET = "correct horse battery staple"
_SOURCE = Path(__file__).parent.parent.parent

_CONFIGURATION = """
[gateway]
hostname  = "{hostname}"
state_dir = "state"
control   = "control.sock"
[log]
level = "debug"
[tls]
certificate   = "{certificate}"
private_key   = "{key}"
trust_anchors = "{trust}"
revocation    = "off"
{tls_for}
[dns]
trust_anchor    = "{anchor}"
forward         = ["{dns}@53"]
allow_addresses = ["127.0.0.0/8"]
[[listen]]
kind    = "s2s"
address = "{address}:{s2s}"
[[listen]]
kind    = "component"
address = "{address}:{component}"
[[domain]]
names  = {domains}
via    = "component"
secret = "{secret}"
{more}
"""


def program():
    """The ligase under test: $LIGASE_PROGRAM, else what ./dev build made last."""
    named = os.environ.get("LIGASE_PROGRAM")
    if named:
        candidates = [Path(named).resolve()]
    else:
        built = [_SOURCE / "build" / preset / "ligase" for preset in ("release", "debug")]
        candidates = sorted((path for path in built if path.exists()), key=lambda path: -path.stat().st_mtime)
    if not candidates or not os.access(candidates[0], os.X_OK):
        raise FileNotFoundError(f"no ligase to test ({named or 'build/*/ligase'}): build it (./dev build) or name it "
                                "in LIGASE_PROGRAM")
    return candidates[0]


class Gateway:
    """`customers` is (domains, Credential): a second certificate, that names the hosted domains."""

    def __init__(self, session, folder, name, hostname, address, domains, credential, customers=None, more=""):
        self.name, self.hostname, self.address, self.domains = name, hostname, address, list(domains)
        self.folder = Path(folder) / name
        self.folder.mkdir()
        tls_for = ""
        for names, special in customers or []:
            tls_for += (f'[[tls.for]]\ndomains = {json.dumps(list(names))}\n'
                        f'certificate = "{special.certificate}"\nprivate_key = "{special.key}"\n')
        self.file = self.folder / "gateway.toml"
        self.file.touch(mode=0o600)  # it holds the secret
        self.file.write_text(_CONFIGURATION.format(
            hostname=hostname, certificate=credential.certificate, key=credential.key, trust=session.ca.file,
            tls_for=tls_for, anchor=session.zones.anchor, dns=session.zones.address, address=address, s2s=S2S,
            component=COMPONENT, domains=json.dumps(self.domains), secret=SECRET, more=more))
        self.process = None

    def start(self):
        self.process = Process(self.name, [program(), "serve", "--config", self.file], self.folder)

    def wait_ready(self):
        self.process.wait_for(r"\bevent=ready\b")

    def stop(self):
        """Drains it: it must end by itself, with exit code 0 (contract, section 3)."""
        code = self.process.stop(patience=40.0)
        assert code == 0, f"{self.name} ended with {code}:\n{self.process.last_lines()}"

    def connections(self):
        """Established s2s connections that it has taken."""
        return connections_to(self.address, S2S)

    def ctl(self, command):
        """What `ligase ctl COMMAND --json` says."""
        asked = subprocess.run([program(), "ctl", "--control", self.folder / "control.sock", command, "--json"],
                               capture_output=True, text=True, timeout=30)
        assert asked.returncode == 0, f"ligase ctl {command}: exit code {asked.returncode}: {asked.stderr}"
        return json.loads(asked.stdout)

    def pair(self, local, remote, direction):
        """The row of one pair (contract.schema.json, `pairs`), or None."""
        rows = (row for row in self.ctl("pairs")
                if (row["local"], row["remote"], row["direction"]) == (local, remote, direction))
        return next(rows, None)

    def proof(self, local, remote, direction):
        """The proof a live pair stands on, "dane" or "pkix" …; None where it is not proven."""
        row = self.pair(local, remote, direction)
        return row["proof"] if row and row["state"] == "proven" else None
