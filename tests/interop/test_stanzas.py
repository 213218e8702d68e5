"""What is carried arrives as it was sent, whatever it is; what cannot be delivered is answered once."""
import pytest

from entities import Bounced
from internet import DELEGATED
from world import PEERS, World

# Markup, quotes, a combining sign, a character outside the BMP, the end of a CDATA section.
AWKWARD = "<b>&amp;</b> \"double\" 'single' e\u0301 \U0001d11e ]]>"


class TestStanzas:
    @pytest.fixture(scope="class", params=sorted(PEERS))
    def two(self, request, internet):
        with World(internet, f"stanzas-{request.param}") as world:
            peer, gateway = world.peer(request.param), world.gateway(DELEGATED)
            world.ready()
            yield world, gateway, world.component(gateway, 1), world.client(peer, 1)

    @pytest.mark.parametrize("body", [AWKWARD, "x" * 200_000], ids=["awkward", "200 kB"])
    def test_body_is_untouched(self, two, body):  # XML-03, XML-04
        _, _, component, client = two
        component.tell(client, body)
        client.tell(component, body)

    def test_language_of_a_stanza_is_untouched(self, two):  # XML-05
        _, _, component, client = two
        for sender, target in ((component, client), (client, component)):
            sender.tell(target, language="de")
            assert target.last_language == "de"

    def test_language_of_the_stream_is_not_lost(self, two):  # XML-05
        """The client and the peer say xml:lang='en' in their stream headers; the component's stream has another default."""
        _, _, component, client = two
        client.tell(component)
        assert component.last_language == "en"

    def test_error_of_the_peer_comes_back(self, two):  # ROUTE-01
        component, client = two[2:]
        with pytest.raises(Bounced, match="service-unavailable|item-not-found"):
            component.ping(f"nobody@{client.domain}/nowhere")

    def test_error_of_a_component_comes_back(self, two):  # ROUTE-01
        component, client = two[2:]
        with pytest.raises(Bounced, match="feature-not-implemented|service-unavailable"):
            client.ask(component, "urn:example:nonsense", "query")

    def test_an_error_is_not_answered(self, two):  # ROUTE-02
        """Of two messages to nobody, the first being an error itself, only the second comes back."""
        component = two[2]
        component.send("someone@nobody.plain", "an error", kind="error")
        component.bounce_of("someone@nobody.plain")

    def test_component_away(self, two):  # COMP-04
        """An iq is answered at once; a message waits for the component to come back."""
        world, gateway, component, client = two
        client.tell(component)
        component.leave()
        gateway.process.wait_for(f"event=link_down .*local={component.domain}")
        with pytest.raises(Bounced, match="service-unavailable"):
            client.ping(component)
        client.send(component, "for later")
        again = world.component(gateway, 1)
        assert again.received(1) == [(client.bare, "for later")]
