"""A mail server on this machine that takes letters after STARTTLS and a login, or goes wrong."""

from __future__ import annotations

import base64
import email
import os
import signal
import socketserver
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.policy import default
from typing import TYPE_CHECKING

from tests.unit.checks.loopback import Authority

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterator
    from email.message import EmailMessage
    from io import BufferedRWPair
    from pathlib import Path

HOST, SECRET = "localhost", "throw-away"
# Where a conversation may break, in its order; the message is taken between END and TAKEN.
STEPS = ("EHLO", "AUTH", "MAIL", "RCPT", "DATA", "BODY", "END", "TAKEN")


@dataclass
class Taker:
    """What the server took, and where it goes wrong: once for each step that is named.

    `answers` are said in place of its own; at a step of `breaks` it hangs up; at one of `kills` it
    ends the process of that number and goes on.
    """

    tls: ssl.SSLContext
    authority: Path
    port: int = 0
    answers: dict[str, list[str]] = field(default_factory=dict)
    breaks: list[str] = field(default_factory=list)
    kills: dict[str, int] = field(default_factory=dict)
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    idle: threading.Event = field(default_factory=threading.Event)

    def messages(self) -> list[EmailMessage]:
        return [email.message_from_bytes(one, policy=default) for _to, one in self.taken]

    def at(self, step: str) -> None:
        """Do what goes wrong at a step."""
        if step in self.kills:
            os.kill(self.kills.pop(step), signal.SIGKILL)
        if step in self.breaks:
            self.breaks.remove(step)
            raise ConnectionAbortedError

    def answer(self, step: str, usual: str) -> str:
        waiting = self.answers.get(step, [])
        return waiting.pop(0) if waiting else usual


class _Conversation(socketserver.BaseRequestHandler):
    """One connection."""

    server: _Server
    request: socket.socket

    def handle(self) -> None:
        self.server.taker.idle.clear()
        try:
            self.greet()
        except OSError:
            return
        finally:
            self.server.taker.idle.set()

    def greet(self) -> None:
        with self.request.makefile("rwb") as lines:
            self.say(lines, "220 taker")
            for line in lines:
                if line.strip().upper() == b"STARTTLS":
                    self.say(lines, "220 go on")
                    break
                self.say(lines, "250-taker\r\n250 STARTTLS")
        tls = self.server.taker.tls
        with (
            tls.wrap_socket(self.request, server_side=True) as secured,
            secured.makefile("rwb") as lines,
        ):
            self.converse(lines)

    def converse(self, lines: BufferedRWPair) -> None:
        taker, recipient = self.server.taker, ""
        for line in lines:
            said = line.decode().strip()
            verb = said.split(" ")[0].upper()
            taker.heard.append(verb)
            if verb in STEPS:
                taker.at(verb)
            if verb == "RCPT":
                recipient = said.partition("<")[2].partition(">")[0]
            usual = {"EHLO": "250-taker\r\n250 AUTH PLAIN", "DATA": "354 go on", "AUTH": "235 in"}
            right = base64.b64encode(f"\0post@exemple.test\0{SECRET}".encode()).decode()
            if verb == "AUTH" and right not in said:
                usual["AUTH"] = "535 5.7.8 no"
            answered = taker.answer(verb, usual.get(verb, "250 2.0.0 fine"))
            self.say(lines, answered)
            if verb == "DATA" and answered.startswith("354"):
                self.take(lines, recipient)
            if verb == "QUIT":
                return

    def take(self, lines: BufferedRWPair, recipient: str) -> None:
        taker = self.server.taker
        body: list[bytes] = []
        taker.at("BODY")
        for line in lines:
            if line == b".\r\n":
                break
            body.append(line.removeprefix(b"."))
        else:
            return  # it ended without its end: that is no message
        taker.at("END")
        answered = taker.answer("END", f"250 2.0.0 Ok: queued as Q{len(taker.taken):06d}")
        if answered.startswith("250"):
            taker.taken.append((recipient, b"".join(body)))
        taker.at("TAKEN")
        self.say(lines, answered)

    @staticmethod
    def say(lines: BufferedRWPair, words: str) -> None:
        lines.write(words.encode() + b"\r\n")
        lines.flush()


class _Server(socketserver.ThreadingTCPServer):
    """Many conversations with one taker."""

    daemon_threads = True

    def __init__(self, taker: Taker) -> None:
        self.taker = taker
        super().__init__(("127.0.0.1", 0), _Conversation)


@contextmanager
def taking(folder: Path) -> Iterator[Taker]:
    """Run the server; its authority lies in `folder`."""
    authority = Authority(folder)
    taker = Taker(authority.server(HOST), authority.file)
    server = _Server(taker)
    taker.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield taker
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
