"""A letter as an e-mail: text and HTML, what is enclosed, and headers that hold one line each.

RFC 5322 and 2047 by the standard library; Auto-Submitted is RFC 3834.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING

from provision import edges
from provision.errors import PaquetError, UsageRefused
from provision.rendering import render

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from provision.post.models import Letter

POLICY = SMTP.clone(cte_type="7bit", max_line_length=76)
LONGEST = 200  # letters of what a person or a subject is called in a header
# Line breaks, and what nobody sees: it would stand in a header for somebody else's eyes.
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
MEDIA = {"pdf": ("application", "pdf"), "txt": ("text", "plain"), "csv": ("text", "csv")}
UNKNOWN = ("application", "octet-stream")


@dataclass(frozen=True)
class Attached:
    """A file as it goes with a letter."""

    name: str
    content: bytes


def compose(letter: Letter, sender: str, at: datetime, files: Sequence[Attached]) -> bytes:
    """Return the message that a server is given: lines end with CR LF, all of it is ASCII.

    `sender` is the operator's address, by which it leaves. Raises PaquetError for an address that
    is none.
    """
    message = EmailMessage(policy=POLICY)
    message["From"] = _mailbox(letter.from_name, sender)
    message["To"] = _mailbox(letter.to_name, letter.email or "")
    if letter.reply_to and letter.reply_to != sender:
        message["Reply-To"] = _mailbox(letter.from_name, letter.reply_to)
    message["Subject"] = one_line(letter.subject)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, charset="utf-8", cte="quoted-printable")
    message.add_alternative(as_html(letter), "html", charset="utf-8", cte="quoted-printable")
    for file in files:
        kind, subtype = MEDIA.get(file.name.rpartition(".")[2].lower(), UNKNOWN)
        message.add_attachment(file.content, kind, subtype, filename=one_line(file.name))
    message["Content-Language"] = letter.language
    return message.as_bytes()


def as_html(letter: Letter) -> str:
    """Return the page of a letter: its own, or the one plain design around its text."""
    if letter.html:
        return letter.html
    words = {
        "language": letter.language,
        "title": letter.subject,
        "sender": letter.from_name,
        "paragraphs": paragraphs(letter.text),
    }
    return render("post/mail.html", words)


def paragraphs(text: str) -> list[str]:
    """Return the parts of a text that empty lines divide."""
    return [part.strip("\n") for part in text.split("\n\n") if part.strip()]


def one_line(text: str) -> str:
    """Return a text as one line that means itself: no break in it, and no encoded word.

    `=?` begins an encoded word (RFC 2047), which a reader would decode once more.
    """
    seen = "".join(" " if unicodedata.category(letter) in UNSEEN else letter for letter in text)
    return " ".join(seen.split()).replace("=?", "= ?")[:LONGEST]


def _mailbox(name: str, address: str) -> Address:
    """Return a name with its address; a name must not look like one: servers refuse that."""
    shown = one_line(name).replace("@", " at ")
    try:
        return Address(shown, addr_spec=edges.email(address))
    except UsageRefused as refused:
        raise PaquetError(f"A letter cannot go there: {refused.message}") from None
