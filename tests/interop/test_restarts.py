"""Servers come and go: what is sent after the return arrives, without a hand on ligase."""
import pytest

from internet import DELEGATED
from world import PEERS


class TestPeerRestart:
    @pytest.mark.parametrize("kind", sorted(PEERS))
    def test_next_message_arrives(self, worlds_of_one, kind):  # MUX-01, ROUTE-04
        worlds = worlds_of_one
        peer, gateway = worlds.peer(kind), worlds.gateway(DELEGATED)
        worlds.ready()
        component, client = worlds.component(gateway, 1), worlds.client(peer, 1)
        component.tell(client)
        client.tell(component)
        peer.kill()
        peer.start()
        peer.wait_ready()
        client = worlds.client(peer, 1, user="again")
        component.tell(client)
        client.tell(component)
        client.ping(component)


class TestComponents:
    """slixmpp's stock component, as README promises; what it must not do is refused."""

    @pytest.fixture(scope="class")
    def gateway(self, worlds):
        made = worlds.gateway(DELEGATED)
        worlds.ready()
        return made

    def test_wrong_secret(self, worlds, gateway):  # COMP-01
        with pytest.raises(AssertionError, match="not-authorized"):
            worlds.component(gateway, 1, secret="wrong")

    def test_second_connection_for_a_domain(self, worlds, gateway):  # COMP-01
        first = worlds.component(gateway, 2)
        with pytest.raises(AssertionError, match="conflict"):
            worlds.component(gateway, 2)
        assert first.bounce_of("someone@nobody.plain").condition == "remote-server-not-found"

    def test_unknown_domain(self, worlds, gateway):  # COMP-01
        with pytest.raises(AssertionError, match="host-unknown"):
            worlds.component(gateway, 1, domain="foreign.tld")

    def test_comes_back(self, worlds, gateway):  # COMP-04
        first = worlds.component(gateway, 3)
        first.leave()
        again = worlds.component(gateway, 3)
        assert again.bounce_of("someone@nobody.plain").condition == "remote-server-not-found"
