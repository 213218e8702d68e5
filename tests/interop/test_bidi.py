"""One stream for both directions (XEP-0288) with stock servers: what the kernel counts, whoever spoke first."""
import pytest

from internet import PKIX
from world import PEERS


def can_bidi(peer):
    return peer.kind == "prosody" or peer.session.generation.release >= 13  # ejabberd from 24.10 on


def streams_of(gateway):
    return [(row["direction"], row["bidi"]) for row in gateway.ctl("streams") if row["kind"] == "s2s"]


@pytest.mark.parametrize("kind", sorted(PEERS))
class TestBidi:
    def test_we_open_it(self, world, kind):  # BIDI-01, BIDI-03
        peer, gateway = world.peer(kind, bidi=True), world.gateway(PKIX)
        world.ready()
        if not can_bidi(peer):
            pytest.skip("this generation has no bidi")
        component, client = world.component(gateway, 1), world.client(peer, 1)
        component.ping(client)
        client.ping(component)
        assert (peer.connections(), gateway.connections()) == (1, 0)
        assert streams_of(gateway) == [("out", True)]
        assert gateway.proof(component.domain, client.domain, "in") == "pkix"

    def test_it_opens_it(self, world, kind):  # BIDI-06
        peer, gateway = world.peer(kind, bidi=True), world.gateway(PKIX)
        world.ready()
        if not can_bidi(peer):
            pytest.skip("this generation has no bidi")
        component, client = world.component(gateway, 1), world.client(peer, 1)
        client.ping(component)
        component.ping(client)
        assert (peer.connections(), gateway.connections()) == (0, 1)
        assert streams_of(gateway) == [("in", True)]

    def test_further_pairs(self, world, kind):  # MUX-03, BIDI-03
        """Of what is no inverse it takes nothing in reverse: nothing is lost, and each pair has a way."""
        peer, gateway = world.peer(kind, bidi=True), world.gateway(PKIX)
        world.ready()
        components = [world.component(gateway, number) for number in (1, 2)]
        clients = [world.client(peer, number) for number in (1, 2)]
        clients[0].ping(components[0])
        for component in components:
            for client in clients:
                component.ping(client)
                client.ping(component)

    def test_not_where_the_policy_says_no(self, world, kind):
        peer, gateway = world.peer(kind, bidi=True), world.gateway(PKIX, more="[policy]\nbidi = false\n")
        world.ready()
        component, client = world.component(gateway, 1), world.client(peer, 1)
        component.ping(client)
        client.ping(component)
        assert streams_of(gateway) == [("out", False), ("in", False)]
