"""Peers with the modules that real ones run: stream management and rate limits as in Debian's configuration files, bidi."""
import pytest

from internet import DELEGATED
from test_multiplex import burst
from world import PEERS


class TestUsualPeers:
    @pytest.mark.parametrize("options", [{"usual": True}, {"bidi": True}], ids=["as Debian has it", "bidi"])
    @pytest.mark.parametrize("kind", sorted(PEERS))
    def test_both_ways(self, world, kind, options):  # STR-11, MUX-03, MUX-07
        """Whoever speaks first, and everybody at once: offers that we do not take must not disturb."""
        peer, gateway = world.peer(kind, **options), world.gateway(DELEGATED)
        world.ready()
        components = [world.component(gateway, number) for number in (1, 2, 3)]
        clients = [world.client(peer, number) for number in (1, 2, 3)]
        components[0].tell(clients[0])
        clients[1].tell(components[1])
        burst(components, clients)
        burst(clients, components)
        for component in components:
            for client in clients:
                component.ping(client)
                client.ping(component)
                component.ping(client.domain)
        components[0].tell(clients[0], "x" * 50_000)
        clients[0].tell(components[0], "x" * 50_000)
