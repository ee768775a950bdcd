"""What comes back: delivery reports (RFC 3464) read from messages, without touching the mailbox."""

from __future__ import annotations

import imaplib
import re
import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.policy import compat32
from typing import TYPE_CHECKING

from provision.database import pieces
from provision.errors import PaquetError
from provision.post.masking import masked
from provision.post.smtp import trusting

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Sequence
    from email.message import Message

    from provision.post.smtp import SmtpDoor

IMAPS = 993
SECONDS = 60.0
LARGEST = 2_000_000  # bytes of a report that is read: some return the whole message
LONGEST_FIELD = 10_000  # letters of a field of a header
MOST_PARTS = 100  # of a report, or recipients that it tells of: our letters have one
DELIVERY_STATUS = "message/delivery-status"
# What is returned (RFC 6522, 4; RFC 6533, 6): the whole message, or its headers alone.
RETURNED = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
AT_ONCE = 200  # messages whose kind is asked for at one time
STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
BOUNDARY = re.compile(r"""boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))""", re.IGNORECASE)
EMPTY_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")
UID = re.compile(rb"\bUID (\d+)")
SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
REPORT = re.compile(rb"content-type:\s*multipart/report", re.IGNORECASE)


@dataclass(frozen=True)
class Returned:
    """That the message of this Message-ID did not arrive: its status, and why."""

    message_id: str
    status: str
    words: str


@dataclass(frozen=True)
class Reading:
    """How far a mailbox was read: all up to `uid`, while its UIDVALIDITY is this."""

    validity: int
    uid: int


def parse(content: bytes) -> list[Returned]:
    """Return what a message reports as failed for good; nothing of what is no such report.

    One that names no Message-ID counts for nothing: whoever sends it must know one of ours, and
    nobody guesses those.
    """
    try:
        return _failures(content)
    except Exception:  # noqa: BLE001 -- anybody can send a broken one: it must not end the reading
        return []


@contextmanager
def mailbox(door: SmtpDoor) -> Iterator[imaplib.IMAP4]:
    """Yield the sender's mailbox at the same server, opened to be read and not changed."""
    try:
        client = _Dialled(door, trusting(door.ca_file))
    except (OSError, imaplib.IMAP4.error) as wrong:
        raise _unreadable(door, wrong) from None
    try:
        client.login(door.sender, door.secret.get_secret_value())
        client.select("INBOX", readonly=True)
        yield client
    except (OSError, imaplib.IMAP4.error) as wrong:
        raise _unreadable(door, wrong) from None
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            client.logout()


def new(client: imaplib.IMAP4, known: Reading | None) -> tuple[list[Returned], Reading]:
    """Return what came back since `known`, and how far the mailbox is read then.

    Where UIDVALIDITY is another, numbers mean other messages, and all is read (RFC 9051, 2.3.1.1).
    """
    said = client.response("UIDVALIDITY")[1]
    validity = int(said[0]) if said and said[0] else 0
    last = known.uid if known and known.validity == validity else 0
    returned: list[Returned] = []
    uids = _uids(client, last)  # asked for once: what arrives meanwhile is read the next time
    for uid in _reports(client, uids):
        _kind, parts = client.uid("FETCH", str(uid), "(BODY.PEEK[])")
        for part in parts:
            if isinstance(part, tuple):
                returned += parse(part[1])
    return returned, Reading(validity, max(uids, default=last))


class _Dialled(imaplib.IMAP4):
    """IMAP with TLS from the start, to the address that is dialled and not the name."""

    def __init__(self, door: SmtpDoor, trust: ssl.SSLContext) -> None:
        self._door, self._trust = door, trust
        super().__init__(door.host, IMAPS, SECONDS)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        dialled = socket.create_connection((self._door.address, IMAPS), timeout)
        return self._trust.wrap_socket(dialled, server_hostname=self._door.host)


def _uids(client: imaplib.IMAP4, last: int) -> list[int]:
    _kind, said = client.uid("SEARCH", f"UID {last + 1}:*")
    numbers = [int(number) for number in (said[0] or b"").split()]
    return [number for number in numbers if number > last]  # `*` is the last, however small


def _reports(client: imaplib.IMAP4, uids: Sequence[int]) -> Iterator[int]:
    """Yield the numbers of the messages that are reports, by their first header alone."""
    for some in pieces(uids, AT_ONCE):
        part = ",".join(map(str, some))
        wanted = "(UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (CONTENT-TYPE)])"
        _kind, said = client.uid("FETCH", part, wanted)
        for item in said:
            if isinstance(item, tuple) and REPORT.search(item[1]):
                uid, size = UID.search(item[0]), SIZE.search(item[0])
                if uid and size and int(size[1]) <= LARGEST:
                    yield int(uid[1])


def _failures(content: bytes) -> list[Returned]:
    report = _headers(content)
    boundary = BOUNDARY.search(_field(report, "Content-Type"))
    if _kind_of(report) != "multipart/report" or boundary is None:
        return []
    # Cut here and not by the library's parser, which goes as deep as whoever wrote it wants.
    line = rf"(?m)^--{re.escape(boundary[1] or boundary[2])}(?:--)?[ \t]*\r?$"
    cut = re.split(line, str(report.get_payload()), maxsplit=MOST_PARTS)
    parts = [_headers(part.lstrip("\r\n").encode("ascii", "surrogateescape")) for part in cut[1:]]
    contents = {_kind_of(part): _content(part) for part in reversed(parts)}
    ids = [
        MESSAGE_ID.search(_field(_headers(contents.get(kind, b"")), "Message-ID"))
        for kind in RETURNED
    ]
    message_id = next((match[0] for match in ids if match), "")
    blocks = EMPTY_LINE.split(contents.get(DELIVERY_STATUS, b"").strip(), maxsplit=MOST_PARTS)
    failures = (_failed(_headers(block), message_id) for block in blocks[1:])
    return [failure for failure in failures if failure is not None and message_id]


def _failed(block: Message, message_id: str) -> Returned | None:
    if _field(block, "Action").lower() != "failed":
        return None
    status = STATUS.search(_field(block, "Status"))
    return Returned(
        message_id=message_id,
        status=status[0] if status else "5.0.0",
        words=masked(" ".join(_field(block, "Diagnostic-Code").split())),
    )


def _headers(content: bytes) -> Message:
    return BytesHeaderParser(policy=compat32).parsebytes(content)


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _kind_of(part: Message) -> str:
    """Return what a part is, '' where it says so at a length that would take hours to read."""
    return part.get_content_type() if _field(part, "Content-Type") else ""


def _field(block: Message, name: str) -> str:
    """Return a field of a header, '' for none and for one that no honest server writes."""
    words = str(block.get(name, "")).strip()
    return words if len(words) <= LONGEST_FIELD else ""


def _unreadable(door: SmtpDoor, wrong: Exception) -> PaquetError:
    return PaquetError(
        f"The mailbox of {door.sender} at {door.host} cannot be read: {wrong}",
        "What came back is not known until it can; see [post] in the settings.",
    )
