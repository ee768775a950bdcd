"""Text of people made harmless for formats where a line is a record. Pure."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

LONGEST = 250


@lru_cache(maxsize=8192)
def one_line(text: str, forbidden: str = "") -> str:
    """Return `text` on one line, in NFC, at most 250 characters.

    Whatever is `forbidden`, or cannot be seen (controls, line ends, marks that turn the line
    around, halves of surrogate pairs), becomes a space; several spaces become one.
    """
    line = text[: 4 * LONGEST]
    for letter in forbidden:
        line = line.replace(letter, " ")
    if not line.isprintable():
        line = "".join(letter if letter.isprintable() else " " for letter in line)
    words = unicodedata.normalize("NFC", line).split()
    return " ".join(words)[:LONGEST].rstrip()
