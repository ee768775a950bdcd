"""The mail server as other servers, thieves and subscribers meet it."""

from __future__ import annotations

import base64
import imaplib
import smtplib
import time
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import partial
from typing import TYPE_CHECKING

from provision.checks.dial import GREETS_AS, Service, context, dial, secure, smtp_over
from provision.checks.findings import Check, error, ok, skipped, warning
from provision.errors import PaquetError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from io import BufferedReader

    from provision.checks.findings import Finding
    from provision.checks.target import Target

    Look = Callable[[Target], Iterator[Finding]]

REFUSED = range(500, 600)
DONE = range(200, 300)
OUTSIDE = "relay-check@example.org"  # RFC 2606: nobody's mailbox
POSTFIX = "See `postconf -n` and `journalctl -u postfix` on the server, or deploy it again."
DOVECOT = "See `journalctl -u dovecot` on the server."
WRONG = "0" * 24  # no device secret is all zeros
PATIENCE = 20.0  # seconds for a message to come round
PAUSE = 0.2


def mail_server_checks(target: Target) -> list[Check]:
    """Return the checks that need no login."""
    looks: dict[str, Look] = {
        "smtp": look_at_smtp,
        "submission": partial(look_at_submission, port=target.ports.submission),
        "submissions": partial(look_at_submission, port=target.ports.submissions),
    }
    return [Check(name, partial(look, target)) for name, look in looks.items()]


def mailbox_checks(target: Target, *, round_trip: bool = False) -> list[Check]:
    """Return the checks of one login; the last one sends a message to oneself."""
    looks: dict[str, Look] = {
        "mail login": look_at_login,
        "mail wrong secret": look_at_wrong_secret,
        "mail only as oneself": look_at_sender,
        "imap": look_at_imap,
        **({"mail round trip": look_at_round_trip} if round_trip else {}),
    }
    if target.secret:
        return [Check(name, partial(look, target)) for name, look in looks.items()]
    return [Check(name, partial(_without_secret, name)) for name in looks]


def look_at_smtp(target: Target) -> Iterator[Finding]:
    """Yield what port 25 says to a stranger: its name, no login, no relay."""
    with _smtp(target, target.ports.smtp) as (client, banner):
        yield _greeting(banner, target.mail_host)
        if client.has_extn("auth"):
            yield error("smtp auth", "Port 25 offers a login, so it can be guessed there", POSTFIX)
        else:
            yield ok("smtp auth", "Port 25 offers no login")
        for sender in ("", f"postmaster@{target.domain}"):
            yield _relay("smtp relay", f"Port 25 from <{sender}>", _try(client, sender, OUTSIDE))


def look_at_submission(target: Target, port: int) -> Iterator[Finding]:
    """Yield whether a port for subscribers refuses to send without login."""
    with _smtp(target, port) as (client, _):
        code = _try(client, f"postmaster@{target.domain}", OUTSIDE)
        yield _relay(f"submission {port}", f"Port {port} without login", code)


def look_at_login(target: Target) -> Iterator[Finding]:
    """Yield whether the device secret opens the port that clients send through."""
    with _smtp(target, target.ports.submissions) as (client, _):
        try:
            client.login(target.login, target.password)
        except smtplib.SMTPAuthenticationError as refused:
            said = f"{target.login} cannot log in to send: {refused.smtp_code}"
            yield error("mail login", said, DOVECOT)
        else:
            yield ok("mail login", f"{target.login} can log in to send")


def look_at_wrong_secret(target: Target) -> Iterator[Finding]:
    """Yield whether a wrong secret is refused. Only one try: a guard counts them."""
    check = "mail wrong secret"
    with _smtp(target, target.ports.submissions) as (client, _):
        words = base64.b64encode(f"\0{target.login}\0{WRONG}".encode()).decode()
        code, _said = client.docmd("AUTH", f"PLAIN {words}")
        if code in REFUSED:
            yield ok(check, "A wrong secret is refused")
        else:
            yield error(check, f"A wrong secret is answered with {code}", DOVECOT)


def look_at_sender(target: Target) -> Iterator[Finding]:
    """Yield whether a login may write only as itself."""
    check, other = "mail only as oneself", f"someone-else@{target.domain}"
    with _smtp(target, target.ports.submissions) as (client, _):
        client.login(target.login, target.password)
        code = _try(client, other, target.login)
        if code in REFUSED:
            yield ok(check, f"Writing as {other} is refused")
        else:
            yield error(check, f"{target.login} may write as {other} ({code})", POSTFIX)


def look_at_imap(target: Target) -> Iterator[Finding]:
    """Yield whether the device secret opens the mailbox and its folders are listed."""
    with _imap(target) as client:
        if not _logged_in(client, target):
            yield error("imap", f"{target.login} cannot log in to read", DOVECOT)
            return
        _, lines = client.list()
        folders = [line.decode() for line in lines if isinstance(line, bytes)]
        if any(folder.upper().endswith(("INBOX", '"INBOX"')) for folder in folders):
            yield ok("imap", f"{target.login} can log in to read; folders: {len(folders)}")
        else:
            yield error("imap", f"{target.login} has no INBOX", DOVECOT)


def look_at_round_trip(target: Target) -> Iterator[Finding]:
    """Send a message to oneself and yield whether it arrives; it is deleted afterwards."""
    check, message = "mail round trip", _message(target.login)
    with _smtp(target, target.ports.submissions) as (client, _):
        client.login(target.login, target.password)
        client.send_message(message)
    sent = time.monotonic()
    with _imap(target) as mailbox:
        if not _logged_in(mailbox, target):
            yield error(check, f"{target.login} cannot log in to read", DOVECOT)
        elif _arrives(mailbox, message["Message-ID"], sent + PATIENCE):
            yield ok(check, f"A message to oneself took {time.monotonic() - sent:.1f} seconds")
        else:
            yield error(check, f"A message did not arrive within {PATIENCE:.0f} seconds", POSTFIX)


class Imap(imaplib.IMAP4):
    """An IMAP client on a connection that is already made and secured."""

    def __init__(self, connected: ssl.SSLSocket) -> None:
        self._connected = connected
        self._lines: BufferedReader = connected.makefile("rb")
        super().__init__()

    # These five are what imaplib's documentation offers for overriding.

    def open(self, host: str = "", port: int = 0, timeout: float | None = None) -> None:  # noqa: ARG002
        """Do nothing: the connection is there."""
        self.sock = self._connected

    def read(self, size: int) -> bytes:
        """Return `size` octets from the server."""
        return self._lines.read(size)

    def readline(self) -> bytes:
        """Return one line from the server."""
        return self._lines.readline()

    def send(self, data: bytes) -> None:  # type: ignore[override] # typeshed wants any buffer
        """Send octets to the server."""
        self._connected.sendall(data)

    def shutdown(self) -> None:
        """Close the connection."""
        self._lines.close()
        self._connected.close()


@contextmanager
def _imap(target: Target) -> Iterator[Imap]:
    connected = secure(target, Service("imaps", target.mail_host, target.ports.imaps))
    try:
        client = Imap(connected)
        yield client
        client.logout()
    finally:
        connected.close()


@contextmanager
def _smtp(target: Target, port: int) -> Iterator[tuple[smtplib.SMTP, str]]:
    """Yield a client that has said EHLO under TLS, and the greeting of the server."""
    service = Service("smtp", target.mail_host, port)
    is_implicit = port == target.ports.submissions
    client = smtp_over((secure if is_implicit else dial)(target, service))
    try:
        banner = _done(*client.getreply())
        _done(*client.ehlo())
        if not is_implicit:
            _start_tls(client, target)
        yield client, banner
        client.docmd("QUIT")
    finally:
        client.close()


def _start_tls(client: smtplib.SMTP, target: Target) -> None:
    """Go on under TLS. smtplib's own way would ask for the address, not the name."""
    _done(*client.docmd("STARTTLS"))
    if client.sock:
        client.sock = context(target).wrap_socket(client.sock, server_hostname=target.mail_host)
    client.file = None
    _done(*client.ehlo())


def _done(code: int, words: bytes) -> str:
    said = words.decode(errors="replace")
    if code not in DONE:
        raise PaquetError(f"The mail server says {code} {said}", POSTFIX)
    return said


def _try(client: smtplib.SMTP, sender: str, recipient: str) -> int:
    """Name sender and recipient, send nothing, and return the code that decides."""
    code, _ = client.docmd("MAIL", f"FROM:<{sender}>")
    if code in DONE:
        code, _ = client.docmd("RCPT", f"TO:<{recipient}>")
    client.docmd("RSET")
    return code


def _greeting(banner: str, mail_host: str) -> Finding:
    if banner.split(maxsplit=1)[:1] == [mail_host]:
        return ok("smtp banner", f"greets as {mail_host}")
    said = f"The mail server greets as {banner[:80]!r}, not as {mail_host}"
    return warning("smtp banner", said, "Others compare it with the reverse name: deploy again.")


def _relay(check: str, where: str, code: int) -> Finding:
    if code in REFUSED:
        return ok(check, f"{where}: mail to others is refused")
    if code in DONE:
        return error(check, f"{where}: ANYONE can send mail through this server", POSTFIX)
    return warning(check, f"{where}: undecided, answers {code}", POSTFIX)


def _logged_in(client: Imap, target: Target) -> bool:
    try:
        client.authenticate("PLAIN", lambda _: f"\0{target.login}\0{target.password}".encode())
    except imaplib.IMAP4.error:
        return False
    return True


def _message(address: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = message["To"] = address
    message["Subject"] = "Paquet: check of this mailbox"
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=GREETS_AS)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday note answers it
    message.set_content("This message checks that mail arrives. It deletes itself.\n")
    return message


def _arrives(client: Imap, identity: str, deadline: float) -> bool:
    """Wait for the message in the inbox and delete it; return whether it came in time."""
    client.select("INBOX")
    while time.monotonic() < deadline:
        _, (numbers,) = client.search(None, "HEADER", "Message-ID", f'"{identity}"')
        if numbers:
            for number in numbers.split():
                client.store(number.decode(), "+FLAGS", "\\Deleted")
            client.expunge()
            return True
        time.sleep(PAUSE)
        client.noop()
    return False


def _without_secret(name: str) -> Iterator[Finding]:
    yield skipped(name, "No device secret was given")
