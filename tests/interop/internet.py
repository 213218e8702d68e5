"""The test's Internet, made once a session: addresses, signed and unsigned zones, a CA and everybody's certificates.

Two providers and two peers, each with domains in these zones: `plain.` is unsigned, so a certificate must name the
domain; `tld.` is signed, so the SRV record delegates it, and its host's key stands in a TLSA record; `net.` is signed
too, but has no TLSA: a CA's certificate names the host; `own.` is signed, and there the customers' own keys stand in TLSA
records, at the host and at the client's name. `child.net.` is an unsigned child of a signed zone, its domains are served
by the host in `net.`. `bogus.` is signed by a key that its parent does not know, the signatures of `expired.` are
over, and the SRV records of `altered.` were changed after they were signed. In `web.`, unsigned, nothing but the
customers' web sites (websites.py) says whose certificate theirs is.
"""
import shutil
import tempfile
from pathlib import Path

from addresses import Block
from certificates import Authority, self_signed, srv_name, xmpp_addr
from entities import Loop
from websites import HOSTING
import zones

ORIGINATING, RECEIVING = "xmpp1.originating", "xmpp1.receiving"
PKIX, DELEGATED, SIGNED, OWN, CHILD, POSH = "pkix", "delegated", "signed", "own", "child", "posh"
SPOILT, EXPIRED, ALTERED = "spoilt", "expired", "altered"
ZONE_OF = {PKIX: "plain", DELEGATED: "tld", SIGNED: "net", OWN: "own", CHILD: "child.net", POSH: "web",
           SPOILT: "bogus", EXPIRED: "expired", ALTERED: "altered"}
HOST_ZONE_OF = {**ZONE_OF, CHILD: "net", SPOILT: "plain", EXPIRED: "plain", ALTERED: "plain"}
# Internationalized domains (RFC 7622 §3.2.1): in DNS and certificates as A-labels, on the wire as U-labels.
INTERNATIONAL = {"prosody": "köln-prosody.plain", "ejabberd": "köln-ejabberd.plain", "originating": "bücher.tld"}
CUSTOMERS = 20  # of every provider, and domains of every peer, in each zone


def senders(mode):
    """Domains of the originating provider: sender1.plain …, or sender1.tld …"""
    return [f"sender{i}.{ZONE_OF[mode]}" for i in range(1, CUSTOMERS + 1)]


def targets(mode):
    """Domains of the receiving provider."""
    return [f"target{i}.{ZONE_OF[mode]}" for i in range(1, CUSTOMERS + 1)]


def a_labels(domain):
    """As DNS and certificates write it: xn--…"""
    return domain.encode("idna").decode()


def peer_domains(kind, mode=PKIX):
    """Domains of a peer: prosody1.plain …"""
    return [f"{kind}{i}.{ZONE_OF[mode]}" for i in range(1, CUSTOMERS + 1)]


class Internet:
    def __init__(self, generation):
        self.generation = generation
        self.folder = Path(tempfile.mkdtemp(prefix="ligase-interop-", dir="/tmp"))
        self.block = Block()
        self.loop = Loop()
        certificates = self.folder / "certificates"
        certificates.mkdir()
        self.ca = Authority(certificates)
        self.stranger = Authority(certificates, "stranger")  # a CA that nobody trusts
        self.zones = zones.Zones(self.folder / "dns", self.block.take(), signed=["tld", "net", "own"],
                                 unsigned=["plain", "child.net", "web"],
                                 spoilt={"bogus": zones.WRONG_KEY, "expired": zones.EXPIRED, "altered": zones.ALTERED})
        self.addresses = {name: self.block.take() for name in ("originating", "receiving", "prosody", "ejabberd", "web")}
        self.certificates = {}
        for name, host, domains in (("originating", ORIGINATING, senders), ("receiving", RECEIVING, targets)):
            self._provider(certificates, name, host, domains)
        for kind in ("prosody", "ejabberd"):
            self._peer(certificates, kind)
        self._web_sites(certificates)
        self.zones.start()

    def _provider(self, folder, name, host, domains):
        """Delegated: the certificate names the host alone and no CA made it. PKIX: another one names the customers.

        Own: beside that of the host, customers 1 and 2 have one of their own each, by no CA, of which the SRVName is the only name.
        """
        address = self.addresses[name]
        self.certificates[name, DELEGATED] = self_signed(folder, f"{name}-delegated", [f"{host}.tld"])
        self.certificates[name, SIGNED] = self.ca.issue(f"{name}-signed", [f"{host}.net"])
        for domain in domains(PKIX)[:2]:
            self.certificates[name, domain] = self.ca.issue(f"{name}-{domain}", [domain])
        self.certificates[name, PKIX] = self.ca.issue(f"{name}-pkix", [f"{host}.plain"])
        self.certificates[name, "rolled"] = self_signed(folder, f"{name}-rolled", [f"{host}.tld"])  # TLSA: the other
        self.certificates[name, "customers"] = self.ca.issue(f"{name}-customers", domains(PKIX))
        for form, made in (("srv", srv_name), ("xmpp", xmpp_addr)):
            self.certificates[name, form] = self.ca.issue(f"{name}-{form}", [made(domain) for domain in domains(PKIX)])
        self.certificates[name, OWN] = self_signed(folder, f"{name}-own", [f"{host}.own"])
        keys = [self.certificates[name, OWN].tlsa]
        for domain in domains(OWN)[:2]:
            self.certificates[name, domain] = self_signed(folder, f"{name}-{domain}", [srv_name(domain)])
            keys.append(self.certificates[name, domain].tlsa)
            self.zones.record(f"_xmpp-server.{domain}", "TLSA", keys[-1])
        self.zones.host(f"{host}.own", address, *keys)
        self.zones.host(f"{host}.tld", address, self.certificates[name, DELEGATED].tlsa)
        self.zones.host(f"{host}.net", address)
        self.zones.host(f"{host}.plain", address)
        self.certificates[name, POSH] = self_signed(folder, f"{name}-posh", [f"{host}.web"])
        self.zones.host(f"{host}.web", address)
        for mode in ZONE_OF:
            for domain in domains(mode):
                self.zones.service(domain, f"{host}.{HOST_ZONE_OF[mode]}")
        if name in INTERNATIONAL:
            self.zones.service(a_labels(INTERNATIONAL[name]), f"{host}.tld")

    def _peer(self, folder, kind):
        address = self.addresses[kind]
        names = [f"{kind}.plain", *(domain for mode in (PKIX, SPOILT, EXPIRED, ALTERED)
                                    for domain in peer_domains(kind, mode))]
        self.certificates[kind, PKIX] = self.ca.issue(f"{kind}-pkix", names)
        international = a_labels(INTERNATIONAL[kind])
        self.certificates[kind, "international"] = self.ca.issue(f"{kind}-international",
                                                                 [international, *peer_domains(kind)])
        self.zones.service(international, f"{kind}.plain")
        self.certificates[kind, "wrong"] = self.ca.issue(f"{kind}-wrong", ["somebody-else.plain"])
        self.certificates[kind, "expired"] = self.ca.issue(f"{kind}-expired", peer_domains(kind), starts=-30, ends=-1)
        self.certificates[kind, "stranger"] = self.stranger.issue(f"{kind}-stranger", peer_domains(kind))
        self.certificates[kind, DELEGATED] = self_signed(folder, f"{kind}-delegated", [f"{kind}.tld"])
        self.certificates[kind, SIGNED] = self.ca.issue(f"{kind}-signed", [f"{kind}.net"])
        self.certificates[kind, POSH] = self_signed(folder, f"{kind}-posh", [f"{kind}.web"])
        self.zones.host(f"{kind}.web", address)
        self.zones.host(f"{kind}.plain", address)
        self.zones.host(f"{kind}.net", address)
        self.zones.service(f"{kind}-unhosted.plain", f"{kind}.plain")
        self.zones.host(f"{kind}.tld", address, self.certificates[kind, DELEGATED].tlsa)
        for mode in ZONE_OF:
            if mode == OWN:
                continue
            for domain in peer_domains(kind, mode):
                self.zones.service(domain, f"{kind}.{HOST_ZONE_OF[mode]}")

    def _web_sites(self, folder):
        """Every customer of `web.` has a site, and a CA's certificate for it."""
        customers = [*senders(POSH), *targets(POSH), *peer_domains("prosody", POSH), *peer_domains("ejabberd", POSH)]
        self.certificates["web", POSH] = self.ca.issue("web", [HOSTING, *customers])
        for name in (HOSTING, *customers):
            self.zones.host(name, self.addresses["web"])

    def close(self, keep):
        self.zones.stop()
        self.loop.stop()
        self.block.close()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
