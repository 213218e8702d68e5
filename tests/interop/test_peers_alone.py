"""The harness without ligase: stock Prosody and stock ejabberd find and authenticate each other in the tests' Internet."""
import pytest

from world import World


class TestPeersAlone:
    @pytest.fixture(scope="class")
    def users(self, internet):
        with World(internet, "peers-alone") as world:
            prosody, ejabberd = world.peer("prosody", strict=True), world.peer("ejabberd", dialback=False)
            world.ready()
            yield world.client(prosody, 1), world.client(ejabberd, 1)

    def test_prosody_to_ejabberd(self, users):
        at_prosody, at_ejabberd = users
        at_prosody.tell(at_ejabberd)
        at_prosody.ping(at_ejabberd)

    def test_ejabberd_to_prosody(self, users):
        at_prosody, at_ejabberd = users
        at_ejabberd.tell(at_prosody)
        at_ejabberd.ping(at_prosody)


class TestPeersAloneWrongCertificate:
    """The control: a strict peer does refuse. Without it, a green matrix would say nothing of proofs."""

    def test_strict_prosody_refuses_ejabberd(self, world):
        prosody, _ = world.peer("prosody", strict=True), world.peer("ejabberd", certificate="wrong")
        world.ready()
        bounce = world.client(prosody, 1).bounce_of("user1@ejabberd1.plain")
        assert "certificate" in bounce.text, bounce
