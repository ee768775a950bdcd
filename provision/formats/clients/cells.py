"""A cell of a list of clients, checked by what checks the same word when it is typed. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from provision import edges
from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.formats.books import tabular
from provision.formats.clients.columns import STREETS
from provision.formats.codes import business_numbers, countries
from provision.formats.facturx import texts
from provision.formats.sepa import identifiers
from provision.formats.sepa.characters import reference
from provision.formats.sepa.prenotification import MOST_DAYS, masked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provision.formats.clients.columns import Vocabulary

MOST_DIGITS, SHOWN = 9, 20
DAYS = (
    re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"),
    re.compile(r"(?P<day>\d\d?)[/.-](?P<month>\d\d?)[/.-](?P<year>\d{4})"),
)
TIME = re.compile(r"[T ]\d\d:\d\d(:\d\d)?$")


def value(word: str, cell: str, vocabulary: Vocabulary) -> object:
    """Return what a cell says; '' says nothing."""
    typed = cell.strip()
    lines = typed.splitlines() if word in STREETS else [typed]
    if len(typed.splitlines()) > 1 and word not in STREETS:
        raise UsageRefused("The cell runs over several lines", "Write it on one line.")
    if any(unicodedata.category(sign) in edges.UNREADABLE for line in lines for sign in line):
        raise UsageRefused(
            "The cell holds a character that cannot be seen", "Type it again by hand."
        )
    bare = typed.removeprefix("'")
    if tabular.text(bare) != bare:
        raise UsageRefused(
            f"{typed[:SHOWN]!a} could be a formula of a spreadsheet",
            "Take away the = + - or @ at its beginning.",
        )
    if not typed or word in STREETS:
        return [line.strip() for line in lines if line.strip()] if word in STREETS else ""
    if word in vocabulary.cells:
        return _meant(word, typed, vocabulary.cells[word])
    return CHECKS[word](typed) if word in CHECKS else typed


def _meant(word: str, typed: str, known: Mapping[str, str]) -> str:
    meaning = known.get(countries.plain(typed))
    if meaning is None:
        either = ", ".join(dict.fromkeys(known.values()))
        raise UsageRefused(f"{typed[:SHOWN]!a} is not a {word}", f"Write one of {either}.")
    return meaning


def day(typed: str) -> date:
    """Return a day as lists write it: 2026-01-31, or 31/01/2026 (a time behind it is not read)."""
    bare = TIME.sub("", typed)
    for form in DAYS:
        match = form.fullmatch(bare)
        if match:
            try:
                written = date(int(match["year"]), int(match["month"]), int(match["day"]))
            except ValueError:
                break
            return sensible_day(written, "a day of a client")
    raise UsageRefused(f"{typed[:SHOWN]!a} is not a day", "Write it like 2026-01-31.")


def _iban(typed: str) -> str:
    """Return the account; the sentence about a wrong one shows what its owner knows it by."""
    try:
        return identifiers.iban(typed)
    except UsageRefused as refused:
        compact = "".join(typed.split())
        shown = re.sub(r"'.*?'", masked(ascii(compact)[1:-1]), refused.message, count=1)
        raise UsageRefused(shown, refused.hint) from None


def _whole(typed: str, most: int, what: str) -> int:
    if not (typed.isascii() and typed.isdigit()) or not 1 <= int(typed[:MOST_DIGITS]) <= most:
        raise UsageRefused(f"{typed[:SHOWN]!a} is not {what}", f"Give a number from 1 to {most}.")
    return int(typed)


def _line(typed: str) -> str:
    texts.check_line(typed, "order reference")
    return typed


CHECKS: Mapping[str, Callable[[str], object]] = {
    "paquet_number": partial(_whole, most=10**MOST_DIGITS - 1, what="the number of a subscriber"),
    "email": edges.email,
    "siren": business_numbers.siren,
    "vat_id": business_numbers.vat_id,
    "country": countries.code,
    "city": partial(edges.person_name, what="city"),
    "order_reference": _line,
    "iban": _iban,
    "bic": identifiers.bic,
    "holder": partial(edges.person_name, what="holder of the account"),
    "reference": partial(reference, what="mandate reference"),
    "signed_on": day,
    "last_collected_on": day,
    "notice_days": partial(_whole, most=MOST_DAYS, what="a number of days"),
    "plan": partial(edges.code, what="code of a plan"),
    "begins_on": day,
    "paid_until": day,
    "supported_by": partial(edges.person_name, what="name of the association"),
}
