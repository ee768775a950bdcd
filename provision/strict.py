"""TOML files of people, read strictly: each mistake in a sentence that says where, all at once.

What our example files say of somebody is refused: left in a file of one's own, it would reach
customers.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from provision import money
from provision.days import sensible_day
from provision.errors import PaquetError, UsageRefused
from provision.shipped import share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


MOST_BYTES, MOST_TOLD = 1_000_000, 30
TOO_SHORT = "too_short"  # as pydantic names it
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


class Table(BaseModel):
    """A table of a file; a word that it does not know is refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Read = TypeVar("Read", bound=Table)


def read(path: Path, shape: type[Read], example: str) -> Read:
    """Return the file's content as `shape`, or raise PaquetError with all that is wrong.

    `example` is the commented file that shows how it is done.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise PaquetError(f"{path} is larger than a megabyte", f"See {example}.")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise PaquetError(f"{path} cannot be read: {wrong}") from None
    try:
        return parse(text, shape, example)
    except PaquetError as refused:
        raise PaquetError(f"{path}: {refused.message}", refused.hint) from None


def parse(text: str, shape: type[Read], example: str) -> Read:
    """Return the TOML text as `shape`, or raise PaquetError with all that is wrong in it."""
    try:
        return shape.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as wrong:
        raise PaquetError(f"this is not TOML: {wrong}") from None
    except ValidationError as wrong:
        hint = f"See {example}."
        raise together([PaquetError(said, hint) for said in _mistakes(wrong)]) from None


def together(refused: Sequence[PaquetError]) -> PaquetError:
    """Return several mistakes as one error, each on a line of its own; a single one as it is."""
    first, *others = refused
    if not others:
        return first
    same = all(each.hint == first.hint for each in others)
    lines = [each.message if same else f"{each.message}. {each.hint}" for each in refused]
    more = [f"and {len(lines) - MOST_TOLD} more"] if len(lines) > MOST_TOLD else []
    told = "\n".join(f"  {line}" for line in (*lines[:MOST_TOLD], *more))
    return type(first)(f"{len(refused)} mistakes:\n{told}", first.hint if same else "")


def edge(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Turn a check of ours into one of pydantic's, which says where in the file it refused."""

    def validate(value: object) -> object:
        try:
            return check(value)
        except PaquetError as refused:
            raise ValueError(f"{refused.message}. {refused.hint}".strip()) from None

    return validate


def first_day(written: object) -> date:
    """Return the day that a TOML file says, if it is one of this century."""
    if not isinstance(written, date) or isinstance(written, datetime):
        raise PaquetError(f"{written!r} is not a day", "Write it like 2026-01-31, without quotes.")
    return sensible_day(written, "a first day")


def cents(written: object) -> int:
    """Return the cents of an amount in quotes."""
    return money.parse(written).units


def _mistakes(wrong: ValidationError) -> list[str]:
    """Return each mistake; that a list is too short says nothing where its items are wrong."""
    errors = wrong.errors(include_url=False)
    within = {error["loc"][:end] for error in errors for end in range(len(error["loc"]))}
    told = [error for error in errors if error["loc"] not in within or error["type"] != TOO_SHORT]
    return [_said(dict(error)) for error in told]


def _said(error: Mapping[str, Any]) -> str:
    """Say an error of pydantic as `plan 2, price 1, monthly: …`."""
    words: list[str] = []
    for step in error["loc"]:
        if isinstance(step, int):
            words[-1] += f" {step + 1}"
        else:
            words.append(step)
    return f"{', '.join(words)}: {error['msg'].removeprefix('Value error, ')}"


def refuse_example(typed: Mapping[str, object], example: str) -> None:
    """Raise UsageRefused when a word of `typed` is still that of the file `example`.

    Only what one alone can have counts: numbers, addresses, names in a register. A SIREN may stand
    inside of the legal name.
    """
    for name in OWN:
        word = _squeezed(str(typed.get(name) or ""))
        for shown in filter(None, (_words(example).get(name), EARLIER.get(name))):
            if word == _squeezed(shown):
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
