"""Internationalized domains at stock servers, configured in Unicode, as their manuals say.

On the wire stand U-labels (RFC 7622 §3.2.1), in DNS and certificates A-labels; a server compares texts.
"""
import pytest

from internet import DELEGATED, INTERNATIONAL
from world import PEERS, World


class TestInternationalDomains:
    @pytest.fixture(scope="class", params=sorted(PEERS))
    def those(self, request, internet):
        """Ours: a plain and an international domain; theirs: a client at the peer's international domain."""
        with World(internet, f"names-{request.param}") as world:
            peer = world.peer(request.param, certificate="international", first=[INTERNATIONAL[request.param]])
            gateway = world.gateway(DELEGATED, first=[INTERNATIONAL["originating"]])
            world.ready()
            yield {"plain": world.component(gateway, 2), "international": world.component(gateway, 1),
                   "theirs": world.client(peer, 1)}

    @pytest.mark.parametrize("ours", ["plain", "international"])
    def test_ours_reaches_it(self, those, ours):  # NAME-01
        those[ours].tell(those["theirs"])
        those[ours].ping(those["theirs"])

    @pytest.mark.parametrize("ours", ["plain", "international"])
    def test_it_reaches_ours(self, those, ours):  # NAME-01
        those["theirs"].tell(those[ours])
        those["theirs"].ping(those[ours])
