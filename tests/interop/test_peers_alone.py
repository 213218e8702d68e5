"""The harness without ligase: stock Prosody and stock ejabberd find and authenticate each other in the tests' Internet."""
import pytest


class TestPeersAlone:
    @pytest.fixture(scope="class")
    def users(self, worlds):
        prosody, ejabberd = worlds.peer("prosody", strict=True), worlds.peer("ejabberd", dialback=False)
        worlds.ready()
        return worlds.client(prosody, 1), worlds.client(ejabberd, 1)

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

    def test_strict_prosody_refuses_ejabberd(self, worlds):
        prosody, _ = worlds.peer("prosody", strict=True), worlds.peer("ejabberd", certificate="wrong")
        worlds.ready()
        bounce = worlds.client(prosody, 1).bounce_of("user1@ejabberd1.plain")
        assert "certificate" in bounce.text, bounce
