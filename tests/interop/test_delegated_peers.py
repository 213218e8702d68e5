"""A stock server whose domains are delegated: its certificate names its host, and DNS says whose host that is."""
import pytest

from internet import DELEGATED, SIGNED
from world import PEERS


class TestDelegatedPeer:
    @pytest.mark.parametrize("proof, mode", [("dane", DELEGATED), ("dnssec", SIGNED)])
    @pytest.mark.parametrize("kind", sorted(PEERS))
    def test_proven_by_dns(self, world, kind, proof, mode):  # DANE-01, DNSSEC-01
        """Its certificate alone would prove nothing: self-signed (dane), or of the host (dnssec)."""
        peer = world.peer(kind, certificate=mode, mode=mode)
        gateway = world.gateway(DELEGATED, more=f'[policy]\nproofs = ["{proof}"]')
        world.ready()
        components = [world.component(gateway, number) for number in (1, 2)]
        clients = [world.client(peer, number) for number in (1, 2)]
        for component in components:
            for client in clients:
                component.tell(client)
                client.tell(component)
                component.ping(client)
                client.ping(component)
                assert gateway.proof(component.domain, client.domain, "out") == proof
                assert gateway.proof(component.domain, client.domain, "in") == proof
