"""Many pairs towards one peer: how many connections the kernel counts, and that nothing is lost on the way to fewer.

Our customers are delegated: no certificate names them. ejabberd takes further senders and targets on one stream, Prosody
further senders only (it ends a stream that asks for a further target).
"""
import pytest

from internet import CUSTOMERS, DELEGATED, PKIX
from world import PEERS, World

SENDERS, TARGETS = 4, 4


def burst(senders, targets):
    """Everybody at once to everybody: no pair is up when the last message leaves. Nothing may be lost or come twice."""
    for sender in senders:
        for target in targets:
            sender.send(target, f"from {sender.domain}")
    wanted = sorted((sender.bare, f"from {sender.domain}") for sender in senders)
    for target in targets:
        assert sorted(target.received(len(senders))) == wanted


class TestManyPairs:
    @pytest.fixture(scope="class", params=sorted(PEERS))
    def crowd(self, request, internet):
        with World(internet, f"many-pairs-{request.param}") as world:
            peer, gateway = world.peer(request.param), world.gateway(DELEGATED)
            world.ready()
            components = [world.component(gateway, number) for number in range(1, SENDERS + 1)]
            clients = [world.client(peer, number) for number in range(1, TARGETS + 1)]
            yield peer, gateway, components, clients

    def test_all_at_once(self, crowd):  # MUX-03, MUX-04, MUX-06
        peer, gateway, components, clients = crowd
        burst(components, clients)
        connections = 1 if peer.kind == "ejabberd" else TARGETS
        assert peer.connections() == connections
        outgoing = [row for row in gateway.ctl("streams") if row["direction"] == "out"]
        assert sum(row["pairs"] for row in outgoing) == SENDERS * TARGETS

    def test_again_without_a_new_connection(self, crowd):  # MUX-01
        peer, _, components, clients = crowd
        before = peer.connections()
        burst(components, clients)
        assert peer.connections() == before

    def test_servers_own_answer_to_every_sender(self, crowd):
        """Prosody sends what it answers itself on the stream of the *first* pair, whoever asked."""
        peer, _, components, _ = crowd  # MUX-08
        for component in components:
            for domain in peer.domains:
                component.ping(domain)

    def test_everybody_answers_every_sender(self, crowd):  # MUX-07
        _, _, components, clients = crowd
        for component in components:
            for client in clients:
                component.ping(client)

    def test_all_at_once_from_them(self, crowd):  # MUX-07, DB-03
        _, gateway, components, clients = crowd
        burst(clients, components)
        for component in components:
            for client in clients:
                assert gateway.proof(component.domain, client.domain, "in") == "pkix"

    def test_order_is_kept(self, crowd):  # ROUTE-03
        _, _, components, clients = crowd
        bodies = [f"number {number}" for number in range(200)]
        for body in bodies:
            components[0].send(clients[0], body)
        assert [body for _, body in clients[0].received(len(bodies))] == bodies


class TestFourHundredPairs:
    """What the program is for, against a stock server: 20 of our customers, 20 of theirs, nothing between them yet."""

    @staticmethod
    def _crowd(world, peer, gateway):
        world.ready()
        return ([world.component(gateway, number) for number in range(1, CUSTOMERS + 1)],
                [world.client(peer, number) for number in range(1, CUSTOMERS + 1)])

    @pytest.mark.parametrize("kind, connections", [("ejabberd", 1), ("prosody", 20)])
    def test_at_the_same_moment(self, world, kind, connections):  # MUX-04
        peer, gateway = world.peer(kind), world.gateway(DELEGATED)
        components, clients = self._crowd(world, peer, gateway)
        burst(components, clients)
        assert peer.connections() == connections
        assert gateway.ctl("status")["connections_saved"] == 400 - connections

    @pytest.mark.parametrize("kind", sorted(PEERS))
    def test_at_the_same_moment_from_them(self, world, kind):  # MUX-07, LIM-01
        """They need 400 connections for it, from one address, all unproven at first: they are served in turn (AB-016)."""
        peer = world.peer(kind)
        gateway = world.gateway(DELEGATED)
        components, clients = self._crowd(world, peer, gateway)
        burst(clients, components)


class TestWithoutDialback:
    """A peer that knows no dialback has no way to take a further pair: each gets a stream, authenticated by EXTERNAL."""

    @pytest.mark.parametrize("kind", sorted(PEERS))
    def test_a_stream_for_each_pair(self, world, kind):  # MUX-01, MUX-03, TLS-02
        peer, gateway = world.peer(kind, strict=True, dialback=False), world.gateway(PKIX)
        world.ready()
        components = [world.component(gateway, number) for number in (1, 2)]
        clients = [world.client(peer, number) for number in (1, 2)]
        burst(components, clients)
        assert peer.connections() == 4
        for component in components:
            assert peer.how_taken(component.domain) == "external"


class TestCertificateOfEachCustomer:
    """Each customer has a certificate of its own, and the peer wants a valid one of everybody."""

    @pytest.mark.parametrize("kind", sorted(PEERS))
    def test_the_right_one_is_shown(self, world, kind):  # TLS-02, TLS-03, MUX-03
        peer = world.peer(kind, strict=True)
        names = ("sender1.plain", "sender2.plain")
        gateway = world.gateway(PKIX, customers=[
            ([name], world.internet.certificates["originating", name]) for name in names])
        world.ready()
        components, client = [world.component(gateway, number) for number in (1, 2)], world.client(peer, 1)
        for component in components:  # the second rides the first one's stream, and is verified by a dial-back to us
            component.tell(client)
            client.tell(component)
            component.ping(client)
        assert peer.connections() == 1
