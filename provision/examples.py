"""What our example files say of somebody: left in a person's own file, it would reach customers."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.rendering import share

if TYPE_CHECKING:
    from collections.abc import Mapping

WORD = re.compile(r'^(?:# )?(\w+) = "([^"]+)"', re.MULTILINE)  # also what is commented out there
# Whose each is, one and only one has it; and what stood in the examples that people copied before.
OWN = (
    *("legal", "email", "phone", "website", "vat_id", "iban", "bic"),
    *("registration", "source"),  # of receipts
    "account",
)
EARLIER = {
    "iban": "FR7630006000011234567890189",
    "legal": "SARL au capital de 5 000 €, RCS Caen 732 829 320",
}
EARLIER_SIREN, SIREN_DIGITS = "732829320", 9


def refuse(typed: Mapping[str, object], example: str) -> None:
    """Raise UsageRefused when a word of `typed` is still that of the file `example`.

    Only what one alone can have counts: numbers, addresses, names in a register. A SIREN may stand
    inside of the legal name.
    """
    for name in OWN:
        found = _squeezed(str(typed.get(name) or ""))
        for shown in filter(None, (_words(example).get(name), EARLIER.get(name))):
            if found == _squeezed(shown):
                raise _refused(f"{name} is still that of the example, {shown}", example)
    legal = _squeezed(str(typed.get("legal") or ""))
    for siren in (_words(example).get("vat_id", "")[-SIREN_DIGITS:], EARLIER_SIREN):
        if siren and siren in legal:
            raise _refused(f"legal still holds the SIREN of the example, {siren}", example)


def _refused(what: str, example: str) -> UsageRefused:
    return UsageRefused(what, f"Write your own: each line of {example} is to be read and changed.")


@cache
def _words(example: str) -> dict[str, str]:
    text = (share("templates") / Path(example).name).read_text(encoding="utf-8")
    return dict(WORD.findall(text))


def _squeezed(words: str) -> str:
    """Return what is left of words that were typed otherwise: letters and digits, in lower case."""
    return "".join(letter for letter in words.casefold() if letter.isalnum())
