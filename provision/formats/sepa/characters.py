"""The characters that every SEPA bank must take, and how other writing is brought into them.

Source: EPC230-15, "Clarification on the use of slashes, and the Latin character set"; the
replacements of signs follow the idea of EPC217-08 (best practices, conversion table).
"""

from __future__ import annotations

import re
import string
import unicodedata

from provision.errors import UsageRefused

# What a file can hold: EPC130-08.
LONGEST_REFERENCE, LONGEST_NAME, LONGEST_TEXT = 35, 70, 140
LONGEST_POSTCODE, LONGEST_TOWN = 16, 35
SHOWN = 40
WRITABLE = frozenset(string.ascii_letters + string.digits + "/-?:().,'+ ")
REFERENCE = re.compile(r"[A-Za-z0-9+?/:().,'-]{1,35}")
REPLACED = str.maketrans(
    dict(zip("ØøŁłĐđÐðıĦħŊŋŦŧ&;⁄", "OoLlDdDdiHhNnTt+,/", strict=True))
    | {"Œ": "OE", "œ": "oe", "Æ": "AE", "æ": "ae", "ẞ": "SS", "ß": "ss", "Þ": "TH", "þ": "th"}
    | dict.fromkeys('’‘‚‛ʼ`“”„«»‹›"', "'")
    | dict.fromkeys("‐‑‒–—―−_~", "-")
    | dict.fromkeys("[{<", "(")
    | dict.fromkeys("]}>", ")")
    | dict.fromkeys("\\|", "/")
    | {"€": "EUR"}
)


def sepa_text(typed: str, what: str, longest: int) -> str:
    """Return `typed` in SEPA's characters, on one line, cut to `longest` characters.

    The rule, so that nothing becomes a silent '?': accents fall away (é → e), letters with a Latin
    spelling get it (œ → oe), quotation marks, dashes, brackets, & and € have their own replacement,
    any other visible sign (= * emoji) becomes a full stop. A letter without Latin spelling, a sign
    that cannot be seen, and a text without any letter or digit are refused with UsageRefused.
    """
    line = " ".join(typed.split())
    if not WRITABLE.issuperset(line):
        plain = unicodedata.normalize("NFKD", line).translate(REPLACED)
        line = " ".join("".join(_written(letter, typed, what) for letter in plain).split())
    cut = line[:longest].rstrip()
    if not any(letter.isalnum() for letter in cut):
        raise UsageRefused(f"The {what} {shown(typed)} has no letter and no digit")
    return cut


def reference(typed: str, what: str) -> str:
    """Return a reference of 1 to 35 SEPA characters without spaces, or raise UsageRefused.

    It neither begins nor ends with a slash, nor has two in a row (EPC230-15).
    """
    slashes = typed.startswith("/") or typed.endswith("/") or "//" in typed
    if not REFERENCE.fullmatch(typed) or slashes:
        raise UsageRefused(
            f"{shown(typed)} cannot be the {what}",
            f"Use at most {LONGEST_REFERENCE} letters A-Z, digits and - . without spaces.",
        )
    return typed


def shown(typed: str) -> str:
    """Quote what was typed so that neither a terminal nor a log can be fooled by it."""
    return ascii(typed if len(typed) <= SHOWN else typed[:SHOWN] + "…")


def _written(letter: str, typed: str, what: str) -> str:
    if letter in WRITABLE:
        return letter
    kind = unicodedata.category(letter)
    if kind == "Mn":
        return ""
    if kind[0] in "PS":
        return "."
    raise UsageRefused(
        f"The {what} {shown(typed)} holds {letter!a}, which no bank can write",
        "Write it in Latin letters, as it stands on the bank's statements.",
    )
