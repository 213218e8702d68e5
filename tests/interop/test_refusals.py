"""What does not work must fail with the right condition and with a text that names the reason, for the one pair alone."""
import pytest

from internet import DELEGATED, PKIX
from world import PEERS, World

ONLY_PKIX = '[policy]\nproofs = ["pkix"]'


class TestUnknownDomains:
    @pytest.fixture(scope="class", params=sorted(PEERS))
    def two(self, request, internet):
        with World(internet, f"unknown-domains-{request.param}") as world:
            peer, gateway = world.peer(request.param), world.gateway(DELEGATED)
            world.ready()
            yield world.component(gateway, 1), world.client(peer, 1), request.param

    def test_no_such_name_in_dns(self, two):  # DNS-02, ROUTE-02
        bounce = two[0].bounce_of("someone@nobody.plain")
        assert bounce.condition == "remote-server-not-found", bounce
        assert "nobody.plain" in bounce.text, bounce

    def test_domain_that_the_peer_does_not_host(self, two):  # ROUTE-02, MUX-05
        component, client, kind = two
        component.tell(client)
        bounce = component.bounce_of(f"someone@{kind}-unhosted.plain")
        assert bounce.condition in ("remote-server-not-found", "remote-server-timeout"), bounce
        assert "unhosted" in bounce.text or "host" in bounce.text, bounce
        component.tell(client)  # the other pair is not disturbed
        component.ping(client)


class TestExternalRefused:
    def test_dialback_on_the_same_stream(self, world):  # EXT-01, DB-04
        """ejabberd offers EXTERNAL to everybody and then refuses a certificate that does not name the customer (T-5)."""
        peer, gateway = world.peer("ejabberd"), world.gateway(DELEGATED)
        world.ready()
        component, client = world.component(gateway, 1), world.client(peer, 1)
        component.tell(client)
        gateway.process.wait_for(rf"event=external_refused .*local={component.domain} .*reason=")
        assert peer.how_taken(component.domain) == "dialback"
        assert peer.connections() == 1


class TestWrongCertificate:
    """Under the policy "pkix" a peer whose certificate proves nothing is refused, and the bounce says why."""

    @pytest.mark.parametrize("certificate, reason", [
        ("wrong", "pkix.name"), ("expired", "pkix.expired"), ("stranger", "pkix.chain")])
    def test_bounce_names_the_reason(self, world, certificate, reason):  # ROUTE-02, PKIX-01, PKIX-02
        peer, gateway = world.peer("prosody", certificate=certificate), world.gateway(PKIX, more=ONLY_PKIX)
        world.ready()
        component = world.component(gateway, 1)
        bounce = component.bounce_of(f"user1@{peer.domains[0]}")
        assert bounce.condition == "remote-server-timeout", bounce
        assert "could not be authenticated" in bounce.text, bounce
        assert gateway.pair(component.domain, peer.domains[0], "out")["last_error"].startswith(reason)

    def test_the_peer_is_not_believed_either(self, world):  # EXT-02, AB-074
        """It speaks first: neither EXTERNAL nor dialback proves it under this policy."""
        peer, gateway = world.peer("prosody", certificate="stranger"), world.gateway(PKIX, more=ONLY_PKIX)
        world.ready()
        component, client = world.component(gateway, 1), world.client(peer, 1)
        bounce = client.bounce_of(component)
        assert bounce.condition.startswith("remote-server-"), bounce
        assert gateway.proof(component.domain, client.domain, "in") is None
