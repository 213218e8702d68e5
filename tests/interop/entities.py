"""Those who talk: clients at the peers and components at ligase, both by slixmpp on one loop in a thread of its own.

An entity sends messages, notes those that arrive, and answers pings (XEP-0199) by itself.
"""
import asyncio
import itertools
import queue
import threading
import time
from xml.etree import ElementTree

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout

from processes import DEADLINE, Gone

_number = itertools.count(1)
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_CONDITIONS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"


class Bounced(AssertionError):
    """An error came back instead of the answer: `condition` and `text` as the sender saw them."""

    def __init__(self, what, error_type, condition, text):
        super().__init__(f"{what}: bounced with {condition} ({error_type}): {text}")
        self.type, self.condition, self.text = error_type, condition, text


class Loop:
    """The one asyncio loop; `run` hands it a coroutine and waits for the result."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def run(self, coroutine, deadline=DEADLINE):
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(deadline)
        except TimeoutError:
            future.cancel()
            raise

    def stop(self):
        """Ends what still runs on it, slixmpp's own tasks too, and its thread."""
        async def finish():
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
        self.run(finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)


class Entity:
    """What clients and components have in common. Made inside the loop by Client.login or Component.attach."""

    def __init__(self, loop, xmpp, jid):
        self._loop, self._xmpp, self.jid = loop, xmpp, jid
        self._messages, self._errors = queue.Queue(), queue.Queue()
        self.last_language = None  # xml:lang of the last message that came, None where it had none
        self.started, self.failed = asyncio.Event(), asyncio.Event()
        self.why = "nothing came"
        xmpp.register_plugin("xep_0030")
        xmpp.register_plugin("xep_0199")
        xmpp.add_event_handler("message", self._on_message)
        xmpp.add_event_handler("message_error", self._on_error)
        xmpp.add_filter("in", self._on_stanza)
        xmpp.add_event_handler("session_start", lambda _: self.started.set())
        for event in ("failed_auth", "connection_failed", "disconnected"):
            xmpp.add_event_handler(event, lambda data, event=event: self._on_failure(event, data))

    def _on_stanza(self, stanza):
        """Remembers a stream error: slixmpp 1.8 drops it when the end of the stream comes in the same packet."""
        if stanza.name == "error":
            self.why = f"stream error {stanza['condition']}: {stanza['text']}"
        return stanza

    def _on_failure(self, event, data):
        if self.why.startswith("nothing"):
            self.why = f"{event} {data}"
        self.failed.set()

    def _on_message(self, message):
        if message["type"] != "error":
            self.last_language = message.xml.get(_LANG)
            self._messages.put((str(message["from"]), message["body"]))

    def _on_error(self, message):
        self._errors.put((message["id"], *_error_of(message)))

    @property
    def domain(self):
        return self.jid.partition("@")[2].partition("/")[0]

    @property
    def bare(self):
        return self.jid.partition("/")[0]

    def send(self, to, body, language=None, kind="chat"):
        """Sends a message to an Entity or an address; returns its id."""
        number = f"m{next(_number)}"

        async def send():
            message = self._xmpp.make_message(mto=_address(to), mbody=body, mfrom=self.jid, mtype=kind)
            message["id"] = number
            if language:
                message["lang"] = language
            message.send()
        self._loop.run(send())
        return number

    def tell(self, other, body=None, deadline=DEADLINE, language=None):
        """Sends `other` a message and waits until it is there; raises Bounced when an error comes instead."""
        body = body or f"message {next(_number)}"
        number = self.send(other, body, language)
        until = time.monotonic() + deadline
        while time.monotonic() < until:
            try:
                sender, text = other._messages.get(timeout=0.05)
            except queue.Empty:
                self._raise_bounce(number, other)
                continue
            if text == body:
                assert sender.partition("/")[0] == self.bare, f"{sender} instead of {self.jid}"
                return
        raise Gone(f"message {self.jid} → {other.jid} neither arrived nor bounced within {deadline:g} s")

    def received(self, count, deadline=DEADLINE):
        """The next `count` messages as (bare sender, body), in the order of their arrival."""
        until = time.monotonic() + deadline
        got = []
        while len(got) < count:
            try:
                sender, text = self._messages.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise Gone(f"{self.jid}: {len(got)} of {count} messages came within {deadline:g} s") from None
            got.append((sender.partition("/")[0], text))
        return got

    def bounce_of(self, to, deadline=DEADLINE):
        """Sends a message that must come back; returns the Bounced."""
        number = self.send(to, "to nowhere")
        try:
            answer = self._errors.get(timeout=deadline)
        except queue.Empty:
            raise Gone(f"message {self.jid} → {_address(to)} did not bounce within {deadline:g} s") from None
        assert answer[0] == number, f"the error has id {answer[0]}, the message had {number}"
        return Bounced(f"message {self.jid} → {_address(to)}", *answer[1:])

    def _raise_bounce(self, number, other):
        try:
            answer = self._errors.get_nowait()
        except queue.Empty:
            return
        if answer[0] == number:
            raise Bounced(f"message {self.jid} → {other.jid}", *answer[1:])

    def ping(self, to, deadline=DEADLINE):
        """An iq and its answer; raises Bounced when the answer is an error."""
        self.ask(to, "urn:xmpp:ping", "ping", deadline)

    def ask(self, to, namespace, name, deadline=DEADLINE):
        """An iq of type get with one empty element in it; raises Bounced when the answer is an error."""
        async def ask():
            iq = self._xmpp.make_iq_get(ito=_address(to), ifrom=self.jid)
            iq.append(ElementTree.Element(f"{{{namespace}}}{name}"))
            await iq.send(timeout=deadline)
        try:
            self._loop.run(ask(), deadline + 1)
        except IqError as error:
            raise Bounced(f"iq {self.jid} → {_address(to)}", *_error_of(error.iq)) from None
        except IqTimeout:
            raise Gone(f"iq {self.jid} → {_address(to)} was not answered within {deadline:g} s") from None

    def leave(self):
        async def leave():
            self._xmpp.abort()
        self._loop.run(leave())


def _address(to):
    return to.jid if isinstance(to, Entity) else to


def _error_of(stanza):
    """(type, condition, text). Read from the XML: a slixmpp component looks for the error in a client's namespace."""
    error = next(child for child in stanza.xml if child.tag.endswith("}error"))
    parts = {child.tag.rpartition("}")[2]: child.text or "" for child in error if child.tag.startswith(_CONDITIONS)}
    text = parts.pop("text", "")
    return error.get("type"), "/".join(parts), text


async def _established(entity):
    waits = [asyncio.ensure_future(event.wait()) for event in (entity.started, entity.failed)]
    await asyncio.wait(waits, timeout=DEADLINE, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    if not entity.started.is_set():
        entity._xmpp.abort()
        raise Gone(f"{entity.jid} could not connect: {entity.why}")


class Client(Entity):
    """A client at a peer, logged in as `user` with whatever password: the peers of the tests take any."""

    @classmethod
    def login(cls, loop, user, domain, address, port=5222):
        async def start():
            jid = f"{user}@{domain}/here"
            xmpp = slixmpp.ClientXMPP(jid, "any", sasl_mech="PLAIN")
            xmpp["feature_mechanisms"].unencrypted_plain = True
            entity = cls(loop, xmpp, jid)
            xmpp.connect(address=(address, port), force_starttls=False, disable_starttls=True)
            await _established(entity)
            xmpp.send_presence()
            await xmpp["xep_0199"].send_ping(domain, timeout=DEADLINE)  # it is answered after the presence was taken
            return entity
        return loop.run(start(), DEADLINE + 5)


class Component(Entity):
    """slixmpp's stock XEP-0114 component, as anybody would attach it to ligase."""

    @classmethod
    def attach(cls, loop, domain, secret, address, port):
        async def start():
            xmpp = slixmpp.ComponentXMPP(domain, secret, address, port)
            entity = cls(loop, xmpp, f"component@{domain}")
            xmpp.connect()
            await _established(entity)
            return entity
        return loop.run(start(), DEADLINE + 5)
