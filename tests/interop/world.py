"""What one group of tests plays in: some servers of the Internet started afresh, and who talks through them."""
import re

from entities import Client, Component
from gateway import COMPONENT, SECRET, Gateway
from internet import DELEGATED, ORIGINATING, PKIX, POSH, RECEIVING, ZONE_OF, peer_domains, senders, targets
from peers.ejabberd import Ejabberd
from peers.prosody import Prosody
from websites import WebSites

PEERS = {"prosody": Prosody, "ejabberd": Ejabberd}


class World:
    """Starts peers and gateways; what was started is ended in reverse order when the `with` block is left."""

    def __init__(self, internet, name):
        self.internet = internet
        self.folder = internet.folder / re.sub(r"[^\w.-]+", "-", name)
        self.folder.mkdir()
        self._servers, self._entities = [], []

    def peer(self, kind, certificate=PKIX, mode=PKIX, first=(), **strictness):
        """A peer with the domains of `mode`, after those in `first`; `certificate` says which of its certificates it shows."""
        made = PEERS[kind](self.internet, self.folder, self.internet.addresses[kind], [*first, *peer_domains(kind, mode)],
                           self.internet.certificates[kind, certificate], **strictness)
        return self._started(made)

    def gateway(self, mode, name="originating", certificate=None, customers=None, more="", first=()):
        """A provider's ligase: its customers are named by a certificate (pkix), or delegate by DNS (delegated, signed).

        customers: [(domains, Credential)], other certificates for them than the one that names them all.
        first: domains hosted before those of `mode`.
        """
        host, domains = {"originating": (ORIGINATING, senders), "receiving": (RECEIVING, targets)}[name]
        if customers is None:
            customers = [(domains(PKIX), self.internet.certificates[name, "customers"])] if mode == PKIX else []
        made = Gateway(self.internet, self.folder, name, f"{host}.{ZONE_OF[mode]}", self.internet.addresses[name],
                       [*first, *domains(mode)], self.internet.certificates[name, certificate or mode], customers, more)
        return self._started(made)

    def web_sites(self):
        """nginx with the web sites of all customers in `web.`: websites.py says what each publishes."""
        shown = self.internet.certificates
        customers = [(senders(POSH), shown["originating", POSH]), (targets(POSH), shown["receiving", POSH]),
                     *((peer_domains(kind, POSH), shown[kind, POSH]) for kind in PEERS)]
        return self._started(WebSites(self.folder, self.internet.addresses["web"], shown["web", POSH], customers,
                                      shown["originating", "rolled"]))

    def ready(self):
        """Until all that were started take connections."""
        for server in self._servers:
            server.wait_ready()

    def client(self, peer, number, user=None):
        """Somebody at the peer's domain `number` (from 1)."""
        domain = peer.domains[number - 1]
        return self._entity(Client.login(self.internet.loop, user or f"user{number}", domain, peer.address))

    def component(self, gateway, number, secret=SECRET, domain=None):
        """slixmpp's component for the gateway's domain `number` (from 1), or for another `domain`."""
        domain = domain or gateway.domains[number - 1]
        return self._entity(Component.attach(self.internet.loop, domain, secret, gateway.address, COMPONENT))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for entity in self._entities:
            entity.leave()
        faults = []
        for server in reversed(self._servers):
            try:
                server.stop()
            except AssertionError as fault:
                faults.append(str(fault))
        assert not faults, "\n".join(faults)

    def _started(self, server):
        server.start()
        self._servers.append(server)
        return server

    def _entity(self, entity):
        self._entities.append(entity)
        return entity
