"""What a server says, without the addresses in it: it names also people one did not write to."""

from __future__ import annotations

import re

LONGEST = 500  # letters that are kept of an answer
# An address, its local part quoted or not; the lengths are those of RFC 5321, 4.5.3.1.
ADDRESS = re.compile(r"""(?:"[^"]{1,64}"|[^\s<>()\[\]:;,"']{1,64})@[^\s<>()\[\]:;,"']{1,255}""")
MASK = "…"


def masked(words: str) -> str:
    """Return words with a mark for each e-mail address: codes and all else stay."""
    return ADDRESS.sub(MASK, words)[:LONGEST]
