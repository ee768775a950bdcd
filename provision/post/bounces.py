"""What comes back: delivery reports (RFC 3464) read from messages, without touching the mailbox."""

from __future__ import annotations

import email
import email.message
import imaplib
import re
import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.policy import default
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.post.smtp import trusting

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from email.message import Message

    from provision.post.smtp import SmtpDoor

IMAPS = 993
SECONDS = 60.0
LARGEST = 2_000_000  # bytes of a report that is read: some return the whole message
AT_ONCE = 200  # messages whose kind is asked for at one time
STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
UID = re.compile(rb"\bUID (\d+)")
SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
REPORT = re.compile(rb"content-type:\s*multipart/report", re.IGNORECASE)


@dataclass(frozen=True)
class Returned:
    """That a message did not reach `recipient`: its Message-ID or '', the queue id or '', why."""

    message_id: str
    queue: str
    recipient: str
    status: str
    words: str


@dataclass(frozen=True)
class Reading:
    """How far a mailbox was read: all up to `uid`, while its UIDVALIDITY is this."""

    validity: int
    uid: int


def parse(content: bytes) -> list[Returned]:
    """Return what a message reports as failed for good; nothing of what is no such report."""
    message = email.message_from_bytes(content, policy=default)
    if message.get_content_type() != "multipart/report":
        return []
    parts: list[Message] = [part for part in message.walk() if part is not message]
    status = [part for part in parts if part.get_content_type() == "message/delivery-status"]
    blocks = status[0].get_payload() if status else None
    if not isinstance(blocks, list) or not blocks:
        return []
    about = [block for block in blocks if isinstance(block, email.message.Message)]
    returned, queue = _message_id(parts), _word(about[0], "X-Postfix-Queue-ID")
    failures = (_failed(block, returned, queue) for block in about[1:])
    return [failure for failure in failures if failure is not None]


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
    found: list[Returned] = []
    for uid in _reports(client, last):
        _kind, parts = client.uid("FETCH", str(uid), "(BODY.PEEK[])")
        for part in parts:
            if isinstance(part, tuple):
                found += parse(part[1])
    newest = max(_uids(client, last), default=last)
    return found, Reading(validity, newest)


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


def _reports(client: imaplib.IMAP4, last: int) -> Iterator[int]:
    """Yield the numbers of the messages that are reports, by their first header alone."""
    uids = _uids(client, last)
    for start in range(0, len(uids), AT_ONCE):
        part = ",".join(map(str, uids[start : start + AT_ONCE]))
        wanted = "(UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (CONTENT-TYPE)])"
        _kind, said = client.uid("FETCH", part, wanted)
        for item in said:
            if isinstance(item, tuple) and REPORT.search(item[1]):
                uid, size = UID.search(item[0]), SIZE.search(item[0])
                if uid and size and int(size[1]) <= LARGEST:
                    yield int(uid[1])


def _failed(block: Message, returned: str, queue: str) -> Returned | None:
    if _word(block, "Action").lower() != "failed":
        return None
    address = _word(block, "Original-Recipient") or _word(block, "Final-Recipient")
    status = STATUS.search(_word(block, "Status"))
    return Returned(
        message_id=returned,
        queue=queue,
        recipient=address.rpartition(";")[2].strip().lower(),
        status=status[0] if status else "5.0.0",
        words=" ".join(_word(block, "Diagnostic-Code").split()),
    )


def _message_id(parts: list[Message]) -> str:
    """Return the Message-ID of what was returned: the whole message, or its headers alone."""
    for part in parts:
        headers: Message | None = None
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            first = inner[0] if isinstance(inner, list) and inner else None
            headers = first if isinstance(first, email.message.Message) else None
        elif part.get_content_type() == "text/rfc822-headers":
            body = part.get_payload(decode=True)
            headers = email.message_from_bytes(body if isinstance(body, bytes) else b"")
        if headers is not None and (found := MESSAGE_ID.search(_word(headers, "Message-ID"))):
            return found[0]
    return ""


def _word(block: Message, name: str) -> str:
    return str(block.get(name, "")).strip()


def _unreadable(door: SmtpDoor, wrong: Exception) -> PaquetError:
    return PaquetError(
        f"The mailbox of {door.sender} at {door.host} cannot be read: {wrong}",
        "What came back is not known until it can; see [post] in the settings.",
    )
