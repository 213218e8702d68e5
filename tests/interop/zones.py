"""The DNS of the test's Internet: one Knot that serves a signed root, signed zones below it, unsigned and spoilt ones.

Every server of the tests asks this Knot, as if it were the resolver; those that validate have the root's DS as anchor.
"""
import re
import subprocess
import time
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
_LONG_AGO = 40 * 86400  # s; a signature of then is over: Knot's live for 14 days
_SIGN = "    dnssec-signing: on\n    dnssec-policy: signed\n"

# What can be wrong with a signed zone: its parent names another key; its signatures are over since weeks; its SRV records
# were changed after they were signed.
WRONG_KEY, EXPIRED, ALTERED = "wrong key", "expired", "altered"


class Zones:
    """Written first (`host`, `service`, `record`), then served by start()."""

    def __init__(self, folder, address, signed, unsigned, spoilt):
        """A zone may lie in another. `spoilt`: signed zones, each with what is wrong with it."""
        self.folder, self.address, self._spoilt = Path(folder), address, spoilt
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
        self._records[self._zone_of(owner)].append(f"{owner}. {_TTL} IN {kind} {data}")

    def host(self, name, address, *tlsa):
        """A server's host name; `tlsa`, "3 1 1 …" each, stand at its port."""
        self.record(name, "A", address)
        for data in tlsa:
            self.record(f"_5269._tcp.{name}", "TLSA", data)

    def service(self, domain, host, port=5269):
        """`domain` is served by `host`: whether that delegation is secure is the zone's matter."""
        self.record(f"_xmpp-server._tcp.{domain}", "SRV", f"0 0 {port} {host}.")

    def start(self):
        self._configure(self._signed)
        digests = {zone: self._make_key(zone) for zone in self._records if zone in self._signed}
        self.anchor.write_text(f". IN DS {digests.pop('.')}\n")
        for zone in self._records:
            parent = None if zone == "." else self._records[self._zone_of(zone.partition(".")[2])]
            if parent is not None:  # delegated to the one server that there is
                parent.append(f"{zone}. {_TTL} IN NS ns.")
            if zone in digests:
                digest = digests[zone][:-4] + "0000" if self._spoilt.get(zone) == WRONG_KEY else digests[zone]
                parent.append(f"{zone}. {_TTL} IN DS {digest}")
        self._records["."].append(f"ns. {_TTL} IN A {self.address}")
        for zone, records in self._records.items():
            apex = zone if zone == "." else f"{zone}."
            lines = [f"{apex} {_TTL} IN SOA ns. hostmaster. 1 3600 900 86400 60", f"{apex} {_TTL} IN NS ns.", *records]
            self._file(zone).write_text("\n".join(lines) + "\n")
        signed_before = {zone for zone, fault in self._spoilt.items() if fault in (EXPIRED, ALTERED)}
        for zone in signed_before:
            self._spoil(zone)
        self._configure(self._signed - signed_before)
        self._process = Process("knot", ["knotd", "-c", self._configuration], self.folder)
        self._process.wait_for(r"server started")
        for zone in self._records:
            self._process.wait_for(rf"\[{re.escape(zone if zone == '.' else zone + '.')}\] loaded, serial")

    def stop(self):
        if self._process:
            self._process.stop()

    def _zone_of(self, name):
        return max((zone for zone in self._records if f".{name}".endswith(f".{zone}") or zone == "."), key=len)

    def _configure(self, signing):
        text = _CONFIGURATION.format(folder=self.folder, address=self.address)
        for zone in self._records:
            text += f'  - domain: "{zone}"\n    file: "{self._file(zone)}"\n{_SIGN if zone in signing else ""}'
        self._configuration.write_text(text)

    def _spoil(self, zone):
        """Signs the zone's file, which is then served as it is."""
        signed = self.folder / "spoilt"
        signed.mkdir(exist_ok=True)
        when = time.time() - (_LONG_AGO if self._spoilt[zone] == EXPIRED else 0)
        subprocess.run(["kzonesign", "-c", self._configuration, "-o", signed, "-t", str(int(when)), f"{zone}."],
                       cwd=self.folder, check=True, capture_output=True)
        text = (signed / self._file(zone).name).read_text()
        if self._spoilt[zone] == ALTERED:
            text, changed = re.subn(r"(\sSRV\s+)0 0 ", r"\g<1>1 0 ", text)
            assert changed, text
        self._file(zone).write_text(text)

    def _file(self, zone):
        return self.folder / ("root.zone" if zone == "." else f"{zone}.zone")

    def _keymgr(self, *words):
        return subprocess.run(["keymgr", "-c", str(self._configuration), *words], cwd=self.folder, check=True,
                              capture_output=True, text=True).stdout

    def _make_key(self, zone):
        """Makes the zone's key, so that the parent can be written before Knot starts; returns its SHA-256 DS data."""
        apex = zone if zone == "." else f"{zone}."
        long_ago = f"-{2 * _LONG_AGO}"
        self._keymgr(apex, "generate", "algorithm=ecdsap256sha256", "ksk=yes", "zsk=yes", f"created={long_ago}",
                     f"publish={long_ago}", f"ready={long_ago}", f"active={long_ago}")
        return re.search(r"DS (\d+ 13 2 \w+)", self._keymgr(apex, "ds"))[1]
