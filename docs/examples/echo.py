#!/usr/bin/env python3
"""A component that answers every message with its own words: usage: echo.py DOMAIN SECRET_FILE [HOST:PORT]

Needs Debian's python3-slixmpp. It connects to ligase's component listener (XEP-0114), says what goes wrong there, and
comes back when the gateway was restarted; Ctrl-C ends it.
"""
import asyncio
import sys

loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)  # slixmpp 1.8 wants one before it is imported

try:
    from slixmpp.componentxmpp import ComponentXMPP
except ImportError:
    sys.exit("echo.py: slixmpp is not here: apt-get install python3-slixmpp, and run this with /usr/bin/python3")

FIRST_PAUSE, LONGEST_PAUSE = 1, 30  # seconds between two attempts


def say(text):
    print(f"echo.py: {text}", file=sys.stderr, flush=True)


class Echo(ComponentXMPP):
    def __init__(self, domain, secret, host, port):
        super().__init__(domain, secret, host, port)
        self.place, self.pause, self.is_refused = f"{host}:{port}", FIRST_PAUSE, False
        self.ended = asyncio.Event()
        self.register_plugin("xep_0199")  # answers pings
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("message", self.answer)
        self.add_event_handler("connection_failed", self.failed)
        self.add_event_handler("stream_error", self.refused)
        self.add_event_handler("disconnected", lambda _: self.ended.set())

    def started(self, _):
        self.pause = FIRST_PAUSE
        say(f"connected as {self.boundjid.domain} to {self.place}")

    def failed(self, why):
        say(f"cannot connect to {self.place}: {why}; is ligase running, with a component listener there?")
        self.ended.set()

    def refused(self, error):
        condition = error["condition"]
        self.is_refused = condition in ("not-authorized", "host-unknown")
        hints = {"not-authorized": "is this the secret of its [[domain]]?",
                 "host-unknown": "does a [[domain]] of the configuration name it, via \"component\"?",
                 "conflict": "another component is connected for it"}
        say(f"the gateway ended the stream: {condition} {error['text']}; {hints.get(condition, 'see its log')}")

    def answer(self, message):
        if message["type"] != "error" and message["body"]:
            print(f"{message['from']}: {message['body']}", flush=True)
            message.reply(message["body"]).send()

    async def stay(self):
        while not self.is_refused:
            self.ended.clear()
            self.connect()
            await self.ended.wait()
            self.cancel_connection_attempt()
            if self.is_refused:
                break
            say(f"trying again in {self.pause} s")
            await asyncio.sleep(self.pause)
            self.pause = min(2 * self.pause, LONGEST_PAUSE)
        return 1


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    host, _, port = (sys.argv[3] if len(sys.argv) == 4 else "127.0.0.1:5347").rpartition(":")
    if not host or not port.isdigit():
        sys.exit(f"echo.py: \"{sys.argv[3]}\" is no HOST:PORT")
    try:
        with open(sys.argv[2], encoding="utf-8") as file:
            secret = file.read().strip()
    except OSError as error:
        sys.exit(f"echo.py: cannot read the secret: {error}")
    echo = Echo(sys.argv[1], secret, host, int(port))
    try:
        sys.exit(loop.run_until_complete(echo.stay()))
    except KeyboardInterrupt:
        say("ended")


if __name__ == "__main__":
    main()
