"""Internationalized domains at stock servers, configured in Unicode, as their manuals say.

On the wire stand U-labels (RFC 7622 §3.2.1), in DNS and certificates A-labels; a server compares texts.
"""
import pytest

from internet import DELEGATED, INTERNATIONAL
from world import PEERS, World


class TestInternationalDomains:
    @pytest.fixture(scope="class", params=sorted(PEERS))
    def three(self, request, internet):
        """One of our domains, an international one of ours, and a client at the peer's international domain."""
        with World(internet, f"names-{request.param}") as world:
            peer = world.peer(request.param, certificate="international", first=[INTERNATIONAL[request.param]])
            gateway = world.gateway(DELEGATED, first=[INTERNATIONAL["originating"]])
            world.ready()
            yield world.component(gateway, 2), world.component(gateway, 1), world.client(peer, 1)

    def test_our_plain_domain_reaches_it(self, three):  # NAME-01
        plain, _, client = three
        plain.tell(client)
        plain.ping(client)

    def test_it_reaches_our_plain_domain(self, three):  # NAME-01
        plain, _, client = three
        client.tell(plain)
        client.ping(plain)

    def test_our_international_domain_reaches_it(self, three):  # NAME-01
        _, international, client = three
        international.tell(client)
        international.ping(client)

    def test_it_reaches_our_international_domain(self, three):  # NAME-01
        _, international, client = three
        client.tell(international)
        client.ping(international)
