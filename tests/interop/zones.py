"""The DNS of the test's Internet: one Knot that serves a signed root, signed zones below it, and unsigned ones.

Every server of the tests asks this Knot, as if it were the resolver; those that validate have the root's DS as anchor.
"""
import re
import subprocess
from pathlib import Path

from processes import Process

_CONFIGURATION = """
server:
    rundir: "{folder}"
    user: root:root
    listen: {address}@53
database:
    storage: "{folder}"
log:
  - target: stdout
    any: info
policy:
  - id: signed
    algorithm: ecdsap256sha256
    single-type-signing: on
template:
  - id: default
    storage: "{folder}"
    zonefile-load: whole
    zonefile-sync: -1
    journal-content: none
zone:
"""
_TTL = 300


class Zones:
    """Written first (`host`, `service`, `record`), then served by start()."""

    def __init__(self, folder, address, signed, unsigned, spoilt=()):
        """`spoilt` zones are signed too, but their parent names another key: every answer of theirs is bogus."""
        self.folder, self.address, self._spoilt = Path(folder), address, set(spoilt)
        self.folder.mkdir()
        self._signed = {".", *signed, *spoilt}
        self._records = {zone: [] for zone in (*self._signed, *unsigned)}
        self._process = None
        self._configuration = self.folder / "knot.conf"
        self.anchor = self.folder / "root.ds"
        self.resolv_conf = self.folder / "resolv.conf"
        self.resolv_conf.write_text(f"nameserver {address}\n")

    def record(self, owner, kind, data):
        """One record; the names are absolute, without the last dot."""
        zone = max((zone for zone in self._records if f".{owner}".endswith(f".{zone}") or zone == "."), key=len)
        self._records[zone].append(f"{owner}. {_TTL} IN {kind} {data}")

    def host(self, name, address, tlsa=None, port=5269):
        """A server's host name; `tlsa`, "3 1 1 …", stands at its port."""
        self.record(name, "A", address)
        if tlsa:
            self.record(f"_{port}._tcp.{name}", "TLSA", tlsa)

    def service(self, domain, host, port=5269):
        """`domain` is served by `host`: whether that delegation is secure is the zone's matter."""
        self.record(f"_xmpp-server._tcp.{domain}", "SRV", f"0 0 {port} {host}.")

    def start(self):
        text = _CONFIGURATION.format(folder=self.folder, address=self.address)
        for zone in self._records:
            text += f'  - domain: "{zone}"\n    file: "{self._file(zone)}"\n'
            if zone in self._signed:
                text += "    dnssec-signing: on\n    dnssec-policy: signed\n"
        self._configuration.write_text(text)
        digests = {zone: self._make_key(zone) for zone in self._records if zone in self._signed}
        self.anchor.write_text(f". IN DS {digests.pop('.')}\n")
        for zone in self._records:
            if zone != ".":  # delegated by the root, to the one server that there is
                self._records["."].append(f"{zone}. {_TTL} IN NS ns.")
            if zone in digests:
                digest = digests[zone][:-4] + "0000" if zone in self._spoilt else digests[zone]
                self._records["."].append(f"{zone}. {_TTL} IN DS {digest}")
        self._records["."].append(f"ns. {_TTL} IN A {self.address}")
        for zone, records in self._records.items():
            apex = zone if zone == "." else f"{zone}."
            lines = [f"{apex} {_TTL} IN SOA ns. hostmaster. 1 3600 900 86400 60", f"{apex} {_TTL} IN NS ns.", *records]
            self._file(zone).write_text("\n".join(lines) + "\n")
        self._process = Process("knot", ["knotd", "-c", self._configuration], self.folder)
        self._process.wait_for(r"server started")
        for zone in self._records:
            self._process.wait_for(rf"\[{re.escape(zone if zone == '.' else zone + '.')}\] loaded, serial")

    def stop(self):
        if self._process:
            self._process.stop()

    def _file(self, zone):
        return self.folder / ("root.zone" if zone == "." else f"{zone}.zone")

    def _keymgr(self, *words):
        return subprocess.run(["keymgr", "-c", str(self._configuration), *words], cwd=self.folder, check=True,
                              capture_output=True, text=True).stdout

    def _make_key(self, zone):
        """Makes the zone's key, so that the parent can be written before Knot starts; returns its SHA-256 DS data."""
        apex = zone if zone == "." else f"{zone}."
        self._keymgr(apex, "generate", "algorithm=ecdsap256sha256", "ksk=yes", "zsk=yes")
        return re.search(r"DS (\d+ 13 2 \w+)", self._keymgr(apex, "ds"))[1]
