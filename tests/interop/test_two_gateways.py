"""Two ligase with real zones between them: every customer delegated, one connection a direction, no certificate of theirs."""
import pytest

from internet import DELEGATED, PKIX, SIGNED
from world import World

PROOF_OF = {DELEGATED: "dane", SIGNED: "dnssec", PKIX: "pkix"}


def talk(ones, others):
    for sender in ones:
        for target in others:
            sender.tell(target)
            sender.ping(target)


class TestTwoGateways:
    @pytest.fixture(scope="class", params=PROOF_OF)
    def both(self, request, internet):
        with World(internet, f"two-gateways-{request.param}") as world:
            ours, theirs = world.gateway(request.param), world.gateway(request.param, "receiving")
            world.ready()
            senders = [world.component(ours, number) for number in (1, 2, 3, 4)]
            targets = [world.component(theirs, number) for number in (1, 2, 3, 4)]
            yield ours, theirs, senders, targets, PROOF_OF[request.param]

    def test_every_pair_in_both_directions(self, both):  # MUX-02, MUX-03, MUX-07
        _, _, senders, targets, _ = both
        talk(senders, targets)
        talk(targets, senders)

    def test_one_connection_a_direction(self, both):  # MUX-01, MUX-04
        ours, theirs, _, _, _ = both
        assert ours.connections() + theirs.connections() <= 2

    def test_every_pair_by_its_proof(self, both):  # DANE-01, DNSSEC-01, PKIX-01
        ours, theirs, _, _, proof = both
        for gateway in (ours, theirs):
            rows = gateway.ctl("pairs")
            assert {(row["state"], row["proof"]) for row in rows} == {("proven", proof)}
            assert len(rows) == 4 * 4 * 2


class TestCrossedConnects:
    def test_nothing_lost_nothing_twice(self, world):  # MUX-10
        ours, theirs = world.gateway(DELEGATED), world.gateway(DELEGATED, "receiving")
        world.ready()
        one, other = world.component(ours, 1), world.component(theirs, 1)
        for number in range(50):
            one.send(other, f"{number}")
            other.send(one, f"{number}")
        wanted = [f"{number}" for number in range(50)]
        assert [body for _, body in other.received(50)] == wanted
        assert [body for _, body in one.received(50)] == wanted


class TestRolledKey:
    def test_key_that_no_tlsa_record_names(self, world):  # DANE-01, ROUTE-02
        """Their key was renewed before its TLSA record: refused, and the text says so."""
        ours, _ = world.gateway(DELEGATED), world.gateway(DELEGATED, "receiving", certificate="rolled")
        world.ready()
        bounce = world.component(ours, 1).bounce_of("component@target1.tld")
        assert bounce.condition == "remote-server-timeout", bounce
        assert "could not be authenticated" in bounce.text and "TLSA" in bounce.text, bounce
        assert ours.pair("sender1.tld", "target1.tld", "out")["last_error"].startswith("dane.mismatch")
