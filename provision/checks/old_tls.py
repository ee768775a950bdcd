"""Whether a server still speaks TLS 1.0 or 1.1, asked by hand.

Modern OpenSSL can be built or configured to refuse these versions itself, which would make every
server look safe; so the first message of the handshake is written out here (RFC 4346 §7.4.1.2).
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

HANDSHAKE, ALERT = 22, 21
TLS_1_0, TLS_1_1 = 0x0301, 0x0302
# Any suite that servers of that age had: ECDHE and RSA with AES in CBC, 3DES.
SUITES = (0xC014, 0xC013, 0xC00A, 0xC009, 0x0039, 0x0033, 0x0035, 0x002F, 0x000A)
GROUPS = (0x001D, 0x0017, 0x0018, 0x0019)
HEADER = struct.Struct("!BHH")


def accepts_old_tls(connected: socket.socket, server_name: str) -> bool:
    """Offer at most TLS 1.1 on a connection and return whether the server agrees.

    An alert, silence until the time limit of the socket, or a closed connection is a no.
    """
    connected.sendall(client_hello(server_name, os.urandom(32)))
    try:
        answer = _exactly(connected, HEADER.size)
    except (TimeoutError, ConnectionError, EOFError):
        return False
    kind, version, _ = HEADER.unpack(answer)
    return kind == HANDSHAKE and version in (TLS_1_0, TLS_1_1)


def client_hello(server_name: str, random: bytes) -> bytes:
    """Return the record that offers TLS 1.1 and the suites of its time; `random` is 32 octets."""
    suites = b"".join(struct.pack("!H", suite) for suite in SUITES)
    body = (
        struct.pack("!H", TLS_1_1)
        + random
        + b"\x00"  # no session to resume
        + _sized("!H", suites)
        + _sized("!B", b"\x00")  # no compression
        + _sized("!H", _extensions(server_name))
    )
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return HEADER.pack(HANDSHAKE, TLS_1_0, len(message)) + message


def _extensions(server_name: str) -> bytes:
    """Return server name (RFC 6066 §3), groups and point formats (RFC 8422 §5.1)."""
    name = b"\x00" + _sized("!H", server_name.encode("ascii"))
    groups = b"".join(struct.pack("!H", group) for group in GROUPS)
    extensions = {0: _sized("!H", name), 10: _sized("!H", groups), 11: _sized("!B", b"\x00")}
    return b"".join(
        struct.pack("!H", kind) + _sized("!H", data) for kind, data in extensions.items()
    )


def _sized(length: str, data: bytes) -> bytes:
    return struct.pack(length, len(data)) + data


def _exactly(connected: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        more = connected.recv(count - len(received))
        if not more:
            raise EOFError
        received += more
    return received
