"""What people wrote, before it goes into a document: readable by XML, PDF and human alike.

Rule: control characters are refused, never dropped, since a dropped one changes a legal document
silently; a line break is allowed only where a text may have lines; everything else (emoji, other
scripts, marks of direction) is kept, and isolated where it is shown.
"""

from __future__ import annotations

import re

from provision.errors import PaquetError

LONGEST_NAME, LONGEST_NOTE, LONGEST_CODE = 300, 1000, 60
# Not in Char of XML 1.0 (W3C, 5th edition, §2.2), or a control of C1 that nobody can read.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u2028\u2029]")
SHOWN = 40


def check_name(text: str, what: str) -> None:
    """Raise PaquetError unless `text` is one readable line of 1 to 300 characters."""
    if not text.strip():
        raise PaquetError(f"The {what} is empty", "A document must name it.")
    check_line(text, what, LONGEST_NAME)


def check_line(text: str, what: str, longest: int = LONGEST_CODE) -> None:
    """Raise PaquetError unless `text` is one readable line of at most `longest` characters."""
    if len(text) > longest:
        raise PaquetError(
            f"The {what} {text[:SHOWN]!a}… is longer than {longest} characters", "Shorten it."
        )
    if UNPRINTABLE.search(text):
        raise PaquetError(
            f"The {what} {text[:SHOWN]!a} holds a character that cannot be printed",
            "Type it again by hand, on one line.",
        )


def check_note(text: str, what: str) -> None:
    """Raise PaquetError unless `text` is readable, of at most 1,000 characters; lines may break."""
    check_line(text.replace("\n", " "), what, LONGEST_NOTE)
