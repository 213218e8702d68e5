#!/usr/bin/env python3
"""A component that answers every message with its own words: usage: echo.py DOMAIN SECRET_FILE [HOST:PORT]

Needs Debian's python3-slixmpp. It connects to ligase's component listener (XEP-0114) and stays until it is ended.
"""
import asyncio
import sys

asyncio.set_event_loop(asyncio.new_event_loop())  # slixmpp 1.8 wants one before it is imported

from slixmpp.componentxmpp import ComponentXMPP  # noqa: E402


class Echo(ComponentXMPP):
    def __init__(self, domain, secret, host, port):
        super().__init__(domain, secret, host, port)
        self.register_plugin("xep_0199")  # answers pings
        self.add_event_handler("session_start", lambda _: print(f"connected as {domain}", flush=True))
        self.add_event_handler("message", self.answer)

    def answer(self, message):
        if message["type"] != "error" and message["body"]:
            print(f"{message['from']}: {message['body']}", flush=True)
            message.reply(message["body"]).send()


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    host, _, port = (sys.argv[3] if len(sys.argv) == 4 else "127.0.0.1:5347").rpartition(":")
    with open(sys.argv[2], encoding="utf-8") as file:
        secret = file.read().strip()
    echo = Echo(sys.argv[1], secret, host, int(port))
    echo.connect()
    echo.process(forever=True)


if __name__ == "__main__":
    main()
