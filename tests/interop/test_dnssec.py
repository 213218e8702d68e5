"""What a zone's signatures are worth: a domain whose signatures do not validate is neither reached nor believed, though its
certificate is good; an unsigned one delegates to nobody, though its parent and its host are signed.
"""
import pytest

from internet import ALTERED, CHILD, DELEGATED, EXPIRED, PKIX, SIGNED, SPOILT

BOGUS = pytest.mark.parametrize("mode", [SPOILT, EXPIRED, ALTERED])


class TestBogusZone:
    @BOGUS
    def test_it_is_not_reached(self, world, mode):  # DNSSEC-01, DNS-01, ROUTE-02, AB-130, O-01
        peer, gateway = world.peer("prosody", mode=mode), world.gateway(DELEGATED)
        world.ready()
        bounce = world.component(gateway, 1).bounce_of(f"user1@{peer.domains[0]}")
        assert bounce.condition == "remote-server-timeout", bounce
        assert "dns.bogus" in bounce.text, bounce
        assert peer.connections() == 0

    @BOGUS
    def test_it_is_not_believed(self, world, mode):  # EXT-02, DB-05, AB-130, I-12
        peer, gateway = world.peer("prosody", mode=mode), world.gateway(PKIX)
        world.ready()
        component, client = world.component(gateway, 1), world.client(peer, 1)
        assert client.bounce_of(component).condition.startswith("remote-server-")
        assert gateway.pair(component.domain, client.domain, "in")["last_error"].startswith(("dns.bogus", "dns.tlsa_bogus"))


class TestUnsignedChildOfASignedZone:
    """Its SRV record leads to a host in the signed parent, whose certificate by a CA names that host alone."""

    def exchange(self, world, more=""):
        peer, gateway = world.peer("prosody", certificate=SIGNED, mode=CHILD), world.gateway(PKIX, more=more)
        world.ready()
        return gateway, world.component(gateway, 1), world.client(peer, 1)

    def test_dialback_alone_proves_it(self, world):  # O-20, I-07, AB-067
        gateway, component, client = self.exchange(world)
        component.tell(client)
        client.tell(component)
        for direction in ("out", "in"):
            row = gateway.pair(component.domain, client.domain, direction)
            assert row["proof"] == "dialback", row
            assert "unsigned" in row["evidence"], row

    def test_without_dialback_it_is_refused(self, world):  # O-20, I-07
        gateway, component, client = self.exchange(world, '[policy]\nproofs = ["dane", "dnssec", "pkix"]')
        assert "could not be authenticated" in component.bounce_of(client).text
        assert client.bounce_of(component).condition.startswith("remote-server-")
        for direction in ("out", "in"):
            assert gateway.pair(component.domain, client.domain, direction)["last_error"].startswith("pkix.name")
