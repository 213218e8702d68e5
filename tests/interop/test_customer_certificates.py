"""Certificates of a customer's own, in every form of name, towards the stock servers: self-signed with the key in a TLSA
record, and by a CA with SRVName or XmppAddr alone.
"""
import pytest

from internet import DELEGATED, OWN, PKIX, senders
from world import PEERS


class TestOwnKeyInDns:
    """A self-signed certificate whose only name is the customer's SRVName, and a TLSA 3 1 1 of its key: no CA, and no dialback,
    which the peer does not even load. The peer's own certificate is self-signed too and named by DNS alone.
    """

    def play(self, world, strict=True, dialback=False):
        peer = world.peer("prosody", certificate=DELEGATED, mode=DELEGATED, strict=strict, dialback=dialback, dane=True)
        own = [([domain], world.internet.certificates["originating", domain]) for domain in senders(OWN)[:2]]
        gateway = world.gateway(OWN, customers=own, more='[policy]\nproofs = ["dane"]')
        world.ready()
        return (peer, gateway, [world.component(gateway, number) for number in (1, 2)],
                [world.client(peer, number) for number in (1, 2)])

    def test_the_customer_is_reached(self, world):  # DANE-01, TLS-02, I-03
        """Prosody 0.12 and 13 with `use_dane` and `s2s_secure_auth`: the TLSA stands for the chain, the SRVName for the name."""
        peer, gateway, components, clients = self.play(world)
        for component in components:
            for client in clients:
                client.tell(component)
                assert gateway.proof(component.domain, client.domain, "in") == "dane"

    def test_the_customer_is_accepted(self, world):  # DANE-01, EXT-01, O-06
        """13, with `s2s_auth_dane_in`, takes it by EXTERNAL. 0.12 looks up no TLSA of who calls it: under `s2s_secure_auth`
        it ends the stream and says why.
        """
        peer, gateway, (component, _), (client, _) = self.play(world)
        if peer.can_dane:
            component.tell(client)
            assert peer.how_taken(component.domain) == "external"
            component.ping(client)
            client.ping(component)
            assert gateway.proof(component.domain, client.domain, "out") == "dane"
        else:
            bounce = component.bounce_of(client)
            assert bounce.condition == "remote-server-timeout", bounce
            assert "certificate" in gateway.pair(component.domain, client.domain, "out")["last_error"]

    def test_a_lenient_prosody_dials_back(self, world):  # DB-02, DANE-01
        """Without `s2s_secure_auth` 0.12 takes the customer by dialback, and finds us by the TLSA all the same."""
        peer, gateway, (component, _), (client, _) = self.play(world, strict=False, dialback=True)
        component.ping(client)
        client.ping(component)
        assert peer.how_taken(component.domain) == "external" if peer.can_dane else "dialback"


class TestNoDaneAtThePeer:
    """Our certificate names our host alone, our zone is signed; the peer looks at neither and dials back."""

    @pytest.mark.parametrize("kind", sorted(PEERS))
    def test_dialback_in_both_directions(self, world, kind):  # DB-02, DB-04, EXT-01
        peer, gateway = world.peer(kind), world.gateway(DELEGATED)
        world.ready()
        component, client = world.component(gateway, 1), world.client(peer, 1)
        component.tell(client)
        assert peer.how_taken(component.domain) == "dialback"
        client.ping(component)
        component.ping(client)
        assert gateway.proof(component.domain, client.domain, "out") == "pkix"
        assert gateway.proof(component.domain, client.domain, "in") == "pkix"


class TestSrvNameOnly:
    """A CA's certificate whose names are the customers' SRVNames."""

    def play(self, world, kind, **options):
        peer = world.peer(kind, **options)
        customers = [(senders(PKIX), world.internet.certificates["originating", "srv"])]
        gateway = world.gateway(PKIX, customers=customers)
        world.ready()
        return peer, gateway, world.component(gateway, 1), world.client(peer, 1)

    def test_prosody_takes_it(self, world):  # PKIX-01, EXT-01
        peer, _, component, client = self.play(world, "prosody", strict=True, dialback=False)
        component.ping(client)
        client.ping(component)
        assert peer.how_taken(component.domain) == "external"

    def test_ejabberd_falls_back_on_the_same_stream(self, world):  # EXT-01, DB-04
        peer, gateway, component, client = self.play(world, "ejabberd")
        component.tell(client)
        gateway.process.wait_for(rf"event=external_refused .*local={component.domain} .*reason=")
        assert peer.how_taken(component.domain) == "dialback"
        assert peer.connections() == 1
        client.ping(component)


class TestXmppAddr:
    """ejabberd's process dies of an XmppAddr where it should answer EXTERNAL, and the connection with it."""

    def test_ejabberd_is_reached_without_external(self, world):  # EXT-01
        peer = world.peer("ejabberd")
        customers = [(senders(PKIX), world.internet.certificates["originating", "xmpp"])]
        gateway = world.gateway(PKIX, customers=customers)
        world.ready()
        components, client = [world.component(gateway, number) for number in (1, 2)], world.client(peer, 1)
        components[0].tell(client)
        gateway.process.wait_for(r"event=stream_closed .*cut where EXTERNAL should have been answered")
        assert peer.how_taken(components[0].domain) == "dialback"
        # It is known from now on: what comes later, and on a new stream, is not cut again.
        peer.kill()
        peer.start()
        peer.wait_ready()
        client = world.client(peer, 2)
        components[1].tell(client)
        client.ping(components[1])
        cuts = [line for line in gateway.process.lines() if "cut where EXTERNAL" in line]
        assert len(cuts) == 1, cuts
