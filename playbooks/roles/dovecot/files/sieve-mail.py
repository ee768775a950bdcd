"""Hand in what a person's filter sends, as that person.

Dovecot calls this for /usr/sbin/sendmail: `sieve-mail LOGIN -i -f SENDER -- RECIPIENT`. Postfix
hears the login (XCLIENT), so that the filter's mail goes the way of all mail of this person: the
same check of the sender, the same limits, the same signature.
"""

from __future__ import annotations

import re
import smtplib
import sys
from email.parser import BytesHeaderParser
from email.utils import getaddresses

POSTFIX = "/var/spool/postfix/public/sieve"
WELCOME = 220  # the session begins anew
FORWARDED = re.compile(rb"X-Sieve: [^\n]*\nX-Sieve-Redirected-From: ")


class Postfix(smtplib.LMTP):
    """SMTP by a socket file, which smtplib knows for LMTP alone."""

    ehlo_msg = "ehlo"


def shown_sender(letter: bytes) -> str:
    """Return the address in the From header of what the person's own filter wrote."""
    shown = BytesHeaderParser().parsebytes(letter).get_all("From", [])
    return next((address for _, address in getaddresses(map(str, shown))), "")


def hand_in(login: str, sender: str, recipients: list[str], letter: bytes) -> None:
    """Send as `login`; an answer to a letter leaves as the address that it shows."""
    kind = "forward" if FORWARDED.match(letter) else "answer"
    if sender and kind == "answer":
        sender = shown_sender(letter) or sender
    with Postfix(POSTFIX, local_hostname=f"{kind}.sieve") as postfix:
        postfix.ehlo()
        said = postfix.docmd("XCLIENT", f"LOGIN={login}")
        if said[0] != WELCOME:
            raise smtplib.SMTPResponseException(*said)
        postfix.ehlo_resp = postfix.helo_resp = None
        postfix.sendmail(sender, recipients, re.sub(rb"\r?\n", b"\r\n", letter))


def main() -> None:
    """Hand it in; whatever the trouble, Dovecot tries a forward again and gives an answer up."""
    _, login, _, _, sender, _, *recipients = sys.argv
    try:
        hand_in(login, sender.strip("<>"), recipients, sys.stdin.buffer.read())
    except (smtplib.SMTPException, OSError) as trouble:
        sys.exit(f"{login}: {trouble}")


if __name__ == "__main__":
    main()
