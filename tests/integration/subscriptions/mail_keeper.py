"""The mailbox of a sender on this machine, over IMAP with TLS: it is only looked at."""

from __future__ import annotations

import re
import socketserver
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.integration.subscriptions.mail_taker import SECRET

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterator
    from io import BufferedRWPair


@dataclass
class Keeper:
    """The messages of a mailbox; one that is `away` hangs up."""

    tls: ssl.SSLContext
    port: int = 0
    messages: list[bytes] = field(default_factory=list)
    is_away: bool = False

    def answer(self, said: str) -> bytes:
        """Return what is said to a command, before it is done."""
        if said.startswith("EXAMINE"):
            return b"* %d EXISTS\r\n* OK [UIDVALIDITY 7] fine\r\n" % len(self.messages)
        if said.startswith("UID SEARCH"):
            return b"* SEARCH %s\r\n" % b" ".join(b"%d" % uid for uid in self.uids())
        if said.startswith("UID FETCH"):
            numbers = re.sub(r"\D", " ", said.split(" ")[2])
            return b"".join(self.fetched(int(uid), said) for uid in numbers.split())
        return {"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n"}.get(
            said.split(" ", maxsplit=1)[0], b""
        )

    def uids(self) -> range:
        return range(1, len(self.messages) + 1)

    def fetched(self, uid: int, said: str) -> bytes:
        whole = self.messages[uid - 1]
        headers = re.findall(rb"(?im)^content-type:.*\n(?:[ \t].*\n)*", whole)[:1]
        content = b"".join(headers) + b"\r\n" if "HEADER" in said else whole
        about = b"* %d FETCH (UID %d RFC822.SIZE %d BODY[] " % (uid, uid, len(whole))
        return about + b"{%d}\r\n%s)\r\n" % (len(content), content)


class _Look(socketserver.BaseRequestHandler):
    """One connection."""

    server: _Server
    request: socket.socket

    def handle(self) -> None:
        keeper = self.server.keeper
        if keeper.is_away:
            return
        with (
            keeper.tls.wrap_socket(self.request, server_side=True) as secured,
            secured.makefile("rwb") as lines,
        ):
            self.converse(keeper, lines)

    @staticmethod
    def converse(keeper: Keeper, lines: BufferedRWPair) -> None:
        lines.write(b"* OK keeper\r\n")
        lines.flush()
        for line in lines:
            tag, _, said = line.decode().strip().partition(" ")
            is_right = not said.startswith("LOGIN") or SECRET in said
            lines.write(
                keeper.answer(said) + f"{tag} {'OK' if is_right else 'NO'} said\r\n".encode()
            )
            lines.flush()


class _Server(socketserver.ThreadingTCPServer):
    """Many looks into one mailbox."""

    daemon_threads = True

    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper
        super().__init__(("127.0.0.1", 0), _Look)


@contextmanager
def keeping(tls: ssl.SSLContext) -> Iterator[Keeper]:
    """Run the server."""
    keeper = Keeper(tls)
    server = _Server(keeper)
    keeper.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield keeper
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
