"""PostgreSQL goes away, every door is asked, and it comes back."""

from __future__ import annotations

import re
import smtplib
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import imapclient

from tests.lab import forgeries
from tests.lab import mail_clients as mail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.lab.mail_clients import Bundle, Device

DATABASE = "postgresql@17-main.service"
BACK_WITHIN = 10.0
GOOD = "good"
FAILED = re.compile(r"Total failed:\s*(\d+)")


@contextmanager
def away(bundle: Bundle) -> Iterator[None]:
    """Stop PostgreSQL, and let it come back."""
    bundle.server.run(["systemctl", "stop", DATABASE])
    try:
        yield
    finally:
        bundle.server.run(["systemctl", "start", DATABASE])


def mail_doors(bundle: Bundle, user: Device) -> dict[str, Callable[[], str]]:
    """Return what asks each mail door: `good`, or what the door says."""
    return {
        "25": lambda: _letter(bundle, user),
        "465": lambda: _submission(bundle, user, mail.SUBMISSION_TLS),
        "587": lambda: _submission(bundle, user, mail.SUBMISSION),
        "993": lambda: _imap(bundle, user),
        "4190": lambda: _sieve(bundle, user),
    }


# What each mail door says when it cannot know: not that a secret is wrong.
MAIL_DOORS_SAY = {
    "25": "4",
    "465": "454",
    "587": "454",
    "993": "[UNAVAILABLE]",
    "4190": "Temporary authentication failure",
}


def _letter(bundle: Bundle, user: Device) -> str:
    with smtplib.SMTP(bundle.mail_host, local_hostname="mx.ailleurs.test", timeout=30) as session:
        session.helo()
        session.mail(bundle.foreign_address)
        code, said = session.rcpt(user.address)
        return GOOD if code == 250 else f"{code} {said.decode()}"


def _submission(bundle: Bundle, user: Device, port: int) -> str:
    try:
        with mail.submission(bundle, user, port):
            return GOOD
    except smtplib.SMTPAuthenticationError as refused:
        return f"{refused.smtp_code} {refused.smtp_error!r}"
    except smtplib.SMTPException as trouble:
        return str(trouble)


def _imap(bundle: Bundle, user: Device) -> str:
    try:
        with mail.imap(bundle, user):
            return GOOD
    except imapclient.exceptions.LoginError as refused:
        return str(refused)


def _sieve(bundle: Bundle, user: Device) -> str:
    try:
        mail.put_sieve(bundle, user, "keep;\n")
    except mail.SieveRefusedError as refused:
        return str(refused)
    return GOOD


def said_by(doors: Mapping[str, Callable[[], str]]) -> dict[str, str]:
    """Ask each door, and one that says nothing once more.

    Dovecot keeps a question, for each connection to PostgreSQL that it lost, until that is back or
    a minute is over; the next one is answered at once.
    """
    said = {}
    for name, ask in doors.items():
        try:
            said[name] = ask()
        except TimeoutError:
            said[name] = ask()
    return said


@contextmanager
def waiting_letter(bundle: Bundle, user: Device) -> Iterator[Callable[[], str]]:
    """Let a letter wait in the queue; yield a look for it."""
    configuration, subject = "/etc/postfix/main.cf", mail.mark()
    kept = bundle.server.run(["cat", configuration]).stdout
    try:
        bundle.server.run(["postconf", "-e", "defer_transports = lmtp"])
        bundle.server.run(["postfix", "reload"])
        mail.send(bundle, user, user.address, subject)
        forgeries.await_rest(bundle)
    finally:
        bundle.server.run(["tee", configuration], given=kept)
        bundle.server.run(["postfix", "reload"])

    def look() -> str:
        return GOOD if mail.messages(bundle, user, subject) else "waits"

    yield look


def until_back(doors: Mapping[str, Callable[[], str]]) -> dict[str, float]:
    """Ask again and again, and return after how many seconds each door was good."""
    begun, back = time.monotonic(), dict[str, float]()
    while len(back) < len(doors) and time.monotonic() - begun < 6 * BACK_WITHIN:
        for name in doors.keys() - back.keys():
            if doors[name]() == GOOD:
                back[name] = time.monotonic() - begun
        time.sleep(mail.PAUSE)
    return back


def counted_attacks(bundle: Bundle) -> int:
    """Return how many failed logins fail2ban has counted so far, in all jails."""
    listed = bundle.server.run(["fail2ban-client", "status"]).stdout
    jails = listed.rpartition(":")[2].replace(",", " ").split()
    told = [bundle.server.run(["fail2ban-client", "status", jail]).stdout for jail in jails]
    return sum(int(count) for text in told for count in FAILED.findall(text))
