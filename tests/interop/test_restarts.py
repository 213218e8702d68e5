"""Servers come and go: what is sent after the return arrives, without a hand on ligase."""
import pytest

from internet import DELEGATED
from world import PEERS, World


class TestPeerRestart:
    @pytest.mark.parametrize("kind", sorted(PEERS))
    def test_next_message_arrives(self, world, kind):  # MUX-01, ROUTE-04
        peer, gateway = world.peer(kind), world.gateway(DELEGATED)
        world.ready()
        component, client = world.component(gateway, 1), world.client(peer, 1)
        component.tell(client)
        client.tell(component)
        peer.kill()
        peer.start()
        peer.wait_ready()
        client = world.client(peer, 1, user="again")
        component.tell(client)
        client.tell(component)
        client.ping(component)


class TestComponents:
    """slixmpp's stock component, as README promises; what it must not do is refused."""

    @pytest.fixture(scope="class")
    def started(self, internet):
        with World(internet, "components") as world:
            made = world.gateway(DELEGATED)
            world.ready()
            yield world, made

    def test_wrong_secret(self, started):  # COMP-01
        world, gateway = started
        with pytest.raises(AssertionError, match="not-authorized"):
            world.component(gateway, 1, secret="wrong")

    def test_second_connection_for_a_domain(self, started):  # COMP-01
        world, gateway = started
        first = world.component(gateway, 2)
        with pytest.raises(AssertionError, match="conflict"):
            world.component(gateway, 2)
        assert first.bounce_of("someone@nobody.plain").condition == "remote-server-not-found"

    def test_unknown_domain(self, started):  # COMP-01
        world, gateway = started
        with pytest.raises(AssertionError, match="host-unknown"):
            world.component(gateway, 1, domain="foreign.tld")

    def test_comes_back(self, started):  # COMP-04
        world, gateway = started
        first = world.component(gateway, 3)
        first.leave()
        again = world.component(gateway, 3)
        assert again.bounce_of("someone@nobody.plain").condition == "remote-server-not-found"
