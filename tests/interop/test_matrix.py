"""Every way a stock server and ligase meet: {Prosody, ejabberd} x {we initiate, they initiate} x {PKIX on both sides,
delegated by DNSSEC and DANE on ours} x {first pair, second sender, second target}, each with a message and an iq.
"""
from types import SimpleNamespace

import pytest

from internet import DELEGATED, PKIX
from world import PEERS, World

SCENES = [f"{kind}-{mode}-{who}" for kind in PEERS for mode in (PKIX, DELEGATED) for who in ("we", "they")]


@pytest.fixture(scope="class", params=SCENES)
def scene(request, internet):
    """One peer and one gateway, both fresh. Everybody is logged in; nobody has said a word to the other side yet.

    PKIX: the peer demands a valid certificate that names our customer. Delegated: our certificate names our host alone;
    a Prosody that knows DANE takes it by EXTERNAL, the others fall back to dialback.
    """
    kind, mode, who = request.param.split("-")
    with World(internet, f"matrix-{request.param}") as world:
        peer = world.peer(kind, strict=mode == PKIX, dane=mode == DELEGATED)
        gateway = world.gateway(mode)
        world.ready()
        ours = [world.component(gateway, number) for number in (1, 2)]
        theirs = [world.client(peer, number) for number in (1, 2)]
        senders, targets = (ours, theirs) if who == "we" else (theirs, ours)
        yield SimpleNamespace(peer=peer, gateway=gateway, mode=mode, we_initiate=who == "we", senders=senders,
                              targets=targets, taken_by="external" if mode == PKIX or peer.can_dane else "dialback")


def exchange(sender, target):
    sender.tell(target)
    sender.ping(target)


def assert_proven(scene, sender, target):
    """ligase holds the pair by the peer's certificate: EXTERNAL as receiver, its own judgement as initiator."""
    if scene.we_initiate:
        assert scene.gateway.proof(sender.domain, target.domain, "out") == "pkix"
    else:
        assert scene.gateway.proof(target.domain, sender.domain, "in") == "pkix"


class TestMatrix:
    def test_first_pair(self, scene):  # EXT-01, EXT-02, EXT-03, DB-02
        sender, target = scene.senders[0], scene.targets[0]
        exchange(sender, target)
        assert_proven(scene, sender, target)
        if scene.we_initiate:
            assert scene.peer.how_taken(sender.domain) == scene.taken_by

    def test_second_sender(self, scene):  # MUX-03, MUX-07, MUX-08
        exchange(scene.senders[1], scene.targets[0])
        assert_proven(scene, scene.senders[1], scene.targets[0])

    def test_second_target(self, scene):  # MUX-03, MUX-07
        exchange(scene.senders[0], scene.targets[1])
        assert_proven(scene, scene.senders[0], scene.targets[1])
