"""Entries of a journal before they are written, and the hashes that seal them. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.subscriptions import chart
from provision.subscriptions.columns import sensible_day

if TYPE_CHECKING:
    from datetime import date

    from provision.money import Amount

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

    `text` never names a person: persons are only in the lines, as salted references.
    """

    organisation_id: int
    effective_on: date
    text: str
    key: str
    lines: tuple[Line, ...]


def check(entry: Entry) -> None:
    """Raise LedgerRefused unless the entry balances on accounts that exist, on a sensible day."""
    sensible_day(entry.effective_on, "the day of a ledger entry")
    if not entry.key:
        raise LedgerRefused("A ledger entry needs a key, so that it is written only once")
    if len(entry.lines) < FEWEST_LINES:
        raise LedgerRefused("A ledger entry needs at least two lines")
    sums: Counter[str] = Counter()
    for line in entry.lines:
        chart.label(line.account, "en")
        if not line.amount.units:
            raise LedgerRefused(f"The line on account {line.account} is empty")
        sums[line.amount.commodity.code] += line.amount.units
    for commodity, units in sums.items():
        if units:
            raise LedgerRefused(
                f"The entry {entry.key} does not balance: {units} {commodity} minor units are left",
                "Debits and credits of each commodity must be equal.",
            )


def hash_input(entry: Entry) -> str:
    """Return the SHA-256 of what was asked for: equal for a retry, whenever it happens."""
    return _sha256(
        {
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
    )


def hash_sealed(input_hash: str, number: int, recorded_on: date, previous_hash: str) -> str:
    """Return the SHA-256 that seals transaction `number` behind the one with `previous_hash`."""
    return _sha256(
        {
            "input": input_hash,
            "number": number,
            "recorded_on": recorded_on.isoformat(),
            "previous": previous_hash,
        }
    )


def _sha256(content: dict[str, object]) -> str:
    """Hash canonical JSON: sorted keys, no spaces, UTF-8; quoting keeps each field's borders."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
