"""A domain whose DNSSEC signatures do not validate is neither reached nor believed, though its certificate is good."""
from internet import DELEGATED, PKIX, SPOILT


class TestBogusZone:
    def test_it_is_not_reached(self, world):  # DNSSEC-01, DNS-01, ROUTE-02
        peer, gateway = world.peer("prosody", mode=SPOILT), world.gateway(DELEGATED)
        world.ready()
        bounce = world.component(gateway, 1).bounce_of(f"user1@{peer.domains[0]}")
        assert bounce.condition == "remote-server-timeout", bounce
        assert "dns.bogus" in bounce.text, bounce
        assert peer.connections() == 0

    def test_it_is_not_believed(self, world):  # EXT-02, DB-05, AB-130
        peer, gateway = world.peer("prosody", mode=SPOILT), world.gateway(PKIX)
        world.ready()
        component, client = world.component(gateway, 1), world.client(peer, 1)
        assert client.bounce_of(component).condition.startswith("remote-server-")
        assert gateway.pair(component.domain, client.domain, "in")["last_error"].startswith(("dns.bogus", "dns.tlsa_bogus"))
