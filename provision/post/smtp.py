"""The door to a mail server: one session hands letters in, and says what became of each.

The end of a message is sent by itself: what breaks before it was surely not taken (RFC 5321,
4.1.1.4), what breaks after it may have been.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.post.addresses import is_of_address
from provision.post.masking import masked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic import SecretStr

IMPLICIT_TLS = 465
SECONDS = 60.0
END_SECONDS = 300.0  # what a server may take after the end of a message, filters and all
READY, GO_ON, DONE = 220, 354, 250
TO_BE_FORWARDED = (DONE, 251, 252)  # of a recipient, all of them a yes (RFC 5321, 4.2.3)
WELL, TEMPORARY, HARD = 2, 4, 5
NO_STATUS = {"4": "4.0.0", "5": "5.0.0"}
OF_RECIPIENT = "4.2."  # a status about one mailbox (RFC 3463, 3.3)
OF_SERVER = ("4.3.", "4.7.")  # about the server, and about its rules
TOO_MANY = re.compile(
    r"rate.?limit|too (many|much|fast)|limit exceeded|quota exceeded", re.IGNORECASE
)
STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
STARTS_LINE = re.compile(rb"(?m)^\.")


@dataclass(frozen=True)
class SmtpDoor:
    """Where a sender hands letters in: the name in the certificate, the address to dial, the login.

    `ca_file` holds authorities that are trusted beside those of the system.
    """

    sender: str
    host: str
    address: str
    port: int
    secret: SecretStr
    ca_file: Path | None = None


class Became(Enum):
    """What became of a letter."""

    SENT = "sent"
    LATER = "later"
    TOO_MANY = "too many"
    REFUSED = "refused"
    SENDER_REFUSED = "sender refused"
    NO_SUCH_ADDRESS = "no such address"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ServerAnswer:
    """What became of a letter, and in which words the server said so: without addresses."""

    became: Became
    words: str

    @property
    def status(self) -> str:
        """The enhanced status code (RFC 3463) in the words, or the general one of their class."""
        match = STATUS.search(self.words)
        return match[0] if match else NO_STATUS.get(self.words[:1], "5.0.0")


@contextmanager
def session(door: SmtpDoor) -> Iterator[smtplib.SMTP]:
    """Yield a session with the server, logged in. Raises PaquetError when there is none to have."""
    client: smtplib.SMTP | None = None
    try:
        client = _connected(door)
        client.login(door.sender, door.secret.get_secret_value())
    except smtplib.SMTPAuthenticationError:
        _close(client)
        raise PaquetError(
            f"{door.host} does not know {door.sender} by this secret",
            "Give it anew: paquet post sender",
        ) from None
    except (OSError, smtplib.SMTPException, ValueError) as wrong:
        _close(client)
        raise PaquetError(
            f"{door.host} takes no letters on port {door.port}: {_words(wrong)}",
            "See [post] in the settings, and whether the server is up; letters wait meanwhile.",
        ) from None
    try:
        yield client
    finally:
        _close(client)


def deliver(client: smtplib.SMTP, sender: str, recipient: str, message: bytes) -> ServerAnswer:
    """Hand a message in for one recipient; what goes wrong with it is part of the answer."""
    try:
        refused = _envelope(client, sender, recipient)
        if refused is not None:
            return refused
        client.send(STARTS_LINE.sub(b"..", message))
    except (OSError, smtplib.SMTPException) as lost:
        return ServerAnswer(Became.LATER, _words(lost))
    try:
        if client.sock is not None:
            client.sock.settimeout(END_SECONDS)
        client.send(b".\r\n")
        return _answer(*client.getreply())
    except (OSError, smtplib.SMTPException) as lost:
        return ServerAnswer(Became.UNKNOWN, _words(lost))


def is_alive(client: smtplib.SMTP) -> bool:
    """Tell whether the server still listens: it may have hung up while nothing was said."""
    try:
        return client.noop()[0] == DONE
    except (OSError, smtplib.SMTPException):
        return False


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Return what verifies certificates: by the system's authorities, and those of a file."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    return context


def _connected(door: SmtpDoor) -> smtplib.SMTP:
    """Connect, with TLS from the start or, on other ports than 465, by STARTTLS (RFC 3207)."""
    trust = trusting(door.ca_file)
    client = smtplib.SMTP(local_hostname=door.sender.rpartition("@")[2], timeout=SECONDS)
    client.sock = socket.create_connection((door.address, door.port), timeout=SECONDS)
    try:
        if door.port == IMPLICIT_TLS:
            client.sock = trust.wrap_socket(client.sock, server_hostname=door.host)
        _expect(client.getreply(), READY)
        client.ehlo()
        if door.port != IMPLICIT_TLS:
            _expect(client.docmd("STARTTLS"), READY)
            client.sock = trust.wrap_socket(client.sock, server_hostname=door.host)
            client.file = None
            client.ehlo()
    except BaseException:
        _close(client)
        raise
    return client


def _expect(reply: tuple[int, bytes], code: int) -> None:
    if reply[0] != code:
        raise smtplib.SMTPResponseException(*reply)


def _envelope(client: smtplib.SMTP, sender: str, recipient: str) -> ServerAnswer | None:
    """Say from whom and to whom, and that the message follows; return the answer of a refusal."""
    client.rset()
    code, words = client.mail(sender)
    if code != DONE:
        refused = _refusal(code, words)
        ours = refused.became is Became.REFUSED
        return ServerAnswer(Became.SENDER_REFUSED, refused.words) if ours else refused
    code, words = client.rcpt(recipient)
    if code not in TO_BE_FORWARDED:
        return _of_recipient(_refusal(code, words))
    code, words = client.docmd("DATA")
    return None if code == GO_ON else _refusal(code, words)


def _refusal(code: int, words: bytes) -> ServerAnswer:
    """Return what a server says before it was given the message: nothing else than no."""
    answer = _answer(code, words)
    if answer.became in (Became.SENT, Became.UNKNOWN):
        return ServerAnswer(Became.LATER, answer.words)
    return answer


def _of_recipient(refused: ServerAnswer) -> ServerAnswer:
    """Return a refusal as what it says of one recipient: of others it says nothing."""
    if refused.became is Became.REFUSED and is_of_address(refused.status, refused.words):
        return ServerAnswer(Became.NO_SUCH_ADDRESS, refused.words)
    if refused.became is Became.TOO_MANY and not refused.status.startswith(OF_SERVER):
        return ServerAnswer(Became.LATER, refused.words)
    return refused


def _answer(code: int, words: bytes) -> ServerAnswer:
    """Return what an answer says; one that is none of the protocol leaves it open."""
    said = masked(f"{code} {words.decode(errors='replace')}")
    kinds = {WELL: Became.SENT, TEMPORARY: Became.LATER, HARD: Became.REFUSED}
    answer = ServerAnswer(kinds.get(code // 100, Became.UNKNOWN), said)
    if answer.became is not Became.LATER or answer.status.startswith(OF_RECIPIENT):
        return answer
    return ServerAnswer(Became.TOO_MANY, said) if TOO_MANY.search(said) else answer


def _close(client: smtplib.SMTP | None) -> None:
    if client is not None:
        with suppress(OSError, smtplib.SMTPException):
            client.quit()
        client.close()


def _words(wrong: BaseException) -> str:
    """Return what went wrong, without what was given: an exception of smtplib may quote it."""
    if isinstance(wrong, smtplib.SMTPResponseException):
        said = wrong.smtp_error
        words = said.decode(errors="replace") if isinstance(said, bytes) else said
        return masked(f"{wrong.smtp_code} {words}")
    return str(wrong) or type(wrong).__name__
