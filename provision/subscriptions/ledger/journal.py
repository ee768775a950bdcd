"""Entries before they are written, when what they tell happened, and their seals. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from provision.days import sensible_day
from provision.errors import PaquetError, UsageRefused
from provision.money import Amount, find_commodity, show
from provision.subscriptions.ledger import chart

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from provision.database import Row


SALES, PURCHASES, BANK, OTHERS, OPENING = "VT", "AC", "BQ", "OD", "AN"
JOURNALS = (SALES, PURCHASES, BANK, OTHERS, OPENING)
GENESIS = "0" * 64  # what the first transaction of a journal follows
FEWEST_LINES = 2


class LedgerRefused(PaquetError):
    """An entry that the ledger does not take."""


@dataclass(frozen=True)
class Line:
    """An amount on an account: debit above zero, credit below. `party` is a reference."""

    account: str
    amount: Amount
    party: str = ""


@dataclass(frozen=True)
class Entry:
    """What one organisation's journal is asked to take, once per `key`.

    `text` never names a person: persons are only in the lines, as salted references. `journal`
    is VT (sales), AC (purchases), BQ (bank), OD (others) or AN (opening balances); `piece` names
    the document that proves the entry, and `evidence` is the SHA-256 of what it says.
    """

    organisation_id: int
    effective_on: date
    text: str
    key: str
    lines: tuple[Line, ...]
    journal: str = OTHERS
    piece: str = ""
    evidence: str = ""


def check(entry: Entry) -> None:
    """Raise LedgerRefused unless the entry balances on accounts that exist, on a sensible day."""
    sensible_day(entry.effective_on, "the day of a ledger entry")
    if entry.journal not in JOURNALS:
        raise LedgerRefused(f"{entry.journal!r} is not a journal", f"Use {'|'.join(JOURNALS)}.")
    if not entry.key:
        raise LedgerRefused("A ledger entry needs a key, so that it is written only once")
    if len(entry.lines) < FEWEST_LINES:
        raise LedgerRefused("A ledger entry needs at least two lines")
    sums: dict[str, int] = {}
    for line in entry.lines:
        chart.label(line.account, "en")
        if not line.amount.units:
            raise LedgerRefused(f"The line on account {line.account} is empty")
        code, units = line.amount.commodity.code, line.amount.units
        sums[code] = sums.get(code, 0) + units
    for code, units in sums.items():
        if units:
            raise LedgerRefused(
                f"The entry {entry.key} does not balance: "
                f"{show(Amount(find_commodity(code), units), 'en')} is left",
                "Debits and credits of each commodity must be equal.",
            )


def hash_input(entry: Entry) -> str:
    """Return the SHA-256 of what was asked for: equal for a retry, whenever it happens.

    The document is in it when there is one: entries without are hashed as they always were.
    """
    content: dict[str, object] = {
        "organisation": entry.organisation_id,
        "effective_on": entry.effective_on.isoformat(),
        "text": entry.text,
        "key": entry.key,
        "lines": [
            {
                "account": line.account,
                "party": line.party,
                "commodity": line.amount.commodity.code,
                "units": line.amount.units,
            }
            for line in entry.lines
        ],
    }
    if entry.journal != OTHERS:
        content["journal"] = entry.journal
    if entry.piece or entry.evidence:
        content |= {"piece": entry.piece, "evidence": entry.evidence}
    return sha256(content)


def hash_sealed(input_hash: str, number: int, recorded_on: date, previous_hash: str) -> str:
    """Return the SHA-256 that seals transaction `number` behind the one with `previous_hash`."""
    return sha256(
        {
            "input": input_hash,
            "number": number,
            "recorded_on": recorded_on.isoformat(),
            "previous": previous_hash,
        }
    )


def document(row: Row, names: Iterable[str]) -> dict[str, object]:
    """Return what a numbered document says under these names, as texts to hash, and its number."""
    content: dict[str, object] = {name: str(row[name]) for name in names}
    content["number"] = f"{row['organisation_id']}/{row['series']}/{row['number']}"
    return content


def sha256(content: dict[str, object]) -> str:
    """Return the SHA-256 of canonical JSON: sorted keys, no spaces, UTF-8.

    Quoting keeps each field's borders, so that two contents never have one text.
    """
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True)
class Moment:
    """The day `on` which something happened, and `today`. Raises UsageRefused for the future."""

    on: date
    today: date

    def __post_init__(self) -> None:
        sensible_day(self.on, "a day on which something happened")
        if self.on > self.today:
            raise UsageRefused(f"{self.on} is not there yet", "Write it down when it has happened.")
