"""Telephone numbers, as people write them and as others can dial them."""

from __future__ import annotations

import re

from provision.errors import UsageRefused

LONGEST = 30
NUMBER = re.compile(r"\+?(?:[ ./-]?(?:\(0\)|[0-9]))+")
FEWEST_DIGITS, MOST_DIGITS = 6, 15  # ITU-T E.164 6.1 allows 15
FRENCH = re.compile(r"(?:\+|00)33")
FRENCH_DIGITS = 9  # of a French number after its country code


def telephone(typed: str) -> str:
    """Return the number as it was typed, on one line with single spaces, or raise UsageRefused.

    A missing digit shows where the length is known, after +33; else any number that can be dialled
    will do.
    """
    number = " ".join(typed.split())
    digits = re.sub(r"\(0\)|[^0-9+]", "", number)
    if len(number) > LONGEST or not NUMBER.fullmatch(number):
        raise _refused(number, "Write it like 02 31 00 00 00 or +33 2 31 00 00 00.")
    if not FEWEST_DIGITS <= len(digits.lstrip("+")) <= MOST_DIGITS:
        raise _refused(number, f"It has {FEWEST_DIGITS} to {MOST_DIGITS} digits.")
    if FRENCH.match(digits) and len(FRENCH.sub("", digits, count=1)) != FRENCH_DIGITS:
        raise _refused(number, f"After +33 come {FRENCH_DIGITS} digits.")
    return number


def _refused(number: str, hint: str) -> UsageRefused:
    return UsageRefused(f"{number[:LONGEST]!r} is not a telephone number", hint)
