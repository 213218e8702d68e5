"""Customers whose web site says whose certificate speaks for them (RFC 7711), at a real nginx: nothing else could prove them."""
import pytest

from internet import PKIX, POSH
from websites import DIRECT, HOSTING, NOTHING, OTHER_KEY, REDIRECT, REFERENCE, WELL_KNOWN
from world import PEERS, World

POLICY = '[policy]\nproofs = ["posh"]'
SOURCE = {DIRECT: "https://{domain}:443" + WELL_KNOWN, REDIRECT: f"https://{HOSTING}:443/{{domain}}.json",
          REFERENCE: f"https://{HOSTING}:443/{{domain}}.json"}


class TestTwoGateways:
    @pytest.fixture(scope="class")
    def both(self, internet):
        with World(internet, "posh-two-gateways") as world:
            sites = world.web_sites()
            ours, theirs = world.gateway(POSH, more=POLICY), world.gateway(POSH, "receiving", more=POLICY)
            world.ready()
            yield world, sites, ours, theirs

    @pytest.mark.parametrize("number", [DIRECT, REDIRECT, REFERENCE], ids=["direct", "redirect", "reference"])
    def test_proven_in_both_roles(self, both, number):  # POSH-01, POSH-02, O-16, I-08
        world, _, ours, theirs = both
        one, other = world.component(ours, number), world.component(theirs, number)
        one.tell(other)
        other.tell(one)
        for gateway, local, remote in ((ours, one, other), (theirs, other, one)):
            for direction in ("out", "in"):
                row = gateway.pair(local.domain, remote.domain, direction)
                assert (row["state"], row["proof"]) == ("proven", "posh"), row
                assert SOURCE[number].format(domain=remote.domain) in row["evidence"], row

    def test_each_document_was_fetched_once_a_provider(self, both):  # POSH-04
        _, sites, _, _ = both
        assert sites.visits("/target2.web.json") == 1
        assert sites.visits("/sender3.web.json") == 1

    @pytest.mark.parametrize("number, reason, words", [
        (OTHER_KEY, "posh.mismatch", "does not list certificate"), (NOTHING, "posh.failed", "answers 404")],
        ids=["another key", "no document"])
    def test_not_proven(self, both, number, reason, words):  # AB-156, ROUTE-02
        world, _, ours, theirs = both
        bounce = world.component(ours, number).bounce_of(f"component@{theirs.domains[number - 1]}")
        assert bounce.condition == "remote-server-timeout", bounce
        assert reason in bounce.text, bounce
        told = ours.pair(ours.domains[number - 1], theirs.domains[number - 1], "out")["last_error"]
        assert told.startswith(reason) and words in told, told


class TestStockPeer:
    """A server that has never heard of POSH: its certificate is self-signed and names its host alone."""

    @pytest.mark.parametrize("kind", sorted(PEERS))
    def test_proven_in_both_roles(self, world, kind):  # POSH-01, POSH-03, O-16, I-08
        world.web_sites()
        peer, gateway = world.peer(kind, certificate=POSH, mode=POSH), world.gateway(PKIX, more=POLICY)
        world.ready()
        component = world.component(gateway, 1)
        for number in (DIRECT, REDIRECT, REFERENCE):
            client = world.client(peer, number)
            component.tell(client)
            client.tell(component)
            assert gateway.proof(component.domain, client.domain, "out") == "posh"
            assert gateway.proof(component.domain, client.domain, "in") == "posh"

    def test_not_at_its_word(self, world):  # AB-156, I-08
        """Its own document lists another key: neither reached nor believed."""
        world.web_sites()
        peer, gateway = world.peer("prosody", certificate=POSH, mode=POSH), world.gateway(PKIX, more=POLICY)
        world.ready()
        component, client = world.component(gateway, 1), world.client(peer, OTHER_KEY)
        assert "posh.mismatch" in component.bounce_of(client).text
        assert "does not list certificate" in gateway.pair(component.domain, client.domain, "out")["last_error"]
        client.bounce_of(component)
        assert gateway.pair(component.domain, client.domain, "in")["last_error"].startswith("posh.mismatch")
