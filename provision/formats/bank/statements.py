"""A bank statement as we keep it, whatever its format, and what must hold of each. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.money import show_euros

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date

    from provision.money import Cents


class StatementRefused(PaquetError):
    """A bank statement that cannot be believed: nothing of it is taken."""


@dataclass(frozen=True)
class Detail:
    """One payment inside an entry; `units` is None where the bank did not say how much.

    `reason` is the ISO 20022 code of a return ('MD06', 'AM04'), or ''.
    """

    units: Cents | None
    end_to_end: str = ""
    mandate: str = ""
    counterparty: str = ""
    iban: str = ""
    text: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Movement:
    """One booked entry: `units` above zero are money in; `code` is the bank's transaction code.

    `position` counts from 1. `key` is the same for the same movement in every file of its format.
    """

    booked_on: date
    units: Cents
    value_on: date | None = None
    reference: str = ""
    text: str = ""
    counterparty: str = ""
    iban: str = ""
    end_to_end: str = ""
    reason: str = ""
    code: str = ""
    reversal: bool = False
    details: tuple[Detail, ...] = ()
    position: int = 0
    key: str = ""


@dataclass(frozen=True)
class Statement:
    """What happened on one account (an IBAN) between two balances, in cents of `commodity`.

    `digest` is the SHA-256 of the whole file: statements that came together have the same.
    """

    account: str
    number: str
    opened_on: date
    closed_on: date
    opening: Cents
    closing: Cents
    movements: tuple[Movement, ...]
    digest: str = ""
    commodity: str = "EUR"


def sealed(statement: Statement, digest: str) -> Statement:
    """Return the statement with numbered, keyed movements, if its sums hold.

    Raises StatementRefused where opening + movements is not closing, or where it closes before it
    opens.
    """
    if statement.closed_on < statement.opened_on:
        raise StatementRefused(
            f"The statement {_named(statement)} closes on {statement.closed_on}, "
            f"before it opens on {statement.opened_on}"
        )
    reached = statement.opening + sum(movement.units for movement in statement.movements)
    if reached != statement.closing:
        raise StatementRefused(
            f"The statement {_named(statement)} does not add up: opening and movements make "
            f"{show_euros(reached)}, the closing is {show_euros(statement.closing)}, "
            f"the difference is {show_euros(statement.closing - reached)}",
            "The file may be cut: download it from the bank once more.",
        )
    return replace(
        statement, movements=_keyed(statement.account, statement.movements), digest=digest
    )


def follows(previous: Statement | None, new: Statement) -> None:
    """Refuse a statement that does not begin where the one before it on its account ended."""
    if previous is None:
        return
    if previous.account != new.account:
        raise StatementRefused(
            f"The statement {_named(new)} is of {new.account}, not of {previous.account}"
        )
    if new.opening != previous.closing or new.closed_on < previous.closed_on:
        raise StatementRefused(
            f"The statement {_named(new)} opens on {new.opened_on} with {show_euros(new.opening)}, "
            f"but the one before it closed on {previous.closed_on} "
            f"with {show_euros(previous.closing)}",
            "A statement between the two may be missing: bring them in from the oldest on.",
        )


def repeats(new: Statement, digests: Collection[str], keys: Collection[str]) -> bool:
    """Say whether the statement is known: by its file, or by the keys of all its movements.

    `digests` and `keys` are those of the statements of its account.
    """
    if new.digest in digests:
        return True
    return bool(new.movements) and all(movement.key in keys for movement in new.movements)


def rest(
    previous: Statement | None, new: Statement, keys: Collection[str]
) -> tuple[Statement, tuple[Movement, ...]]:
    """Return what of a statement is not known yet, and its movements that are (by `keys`).

    The rest opens where the known movements leave the account, which must be where `previous`
    closed: else equal movements were taken for one another, and `follows` refuses it.
    """
    known = tuple(movement for movement in new.movements if movement.key in keys)
    if previous is None or not known:
        return new, ()
    fresh = tuple(movement for movement in new.movements if movement.key not in keys)
    opening = new.opening + sum(movement.units for movement in known)
    opened_on = min(max(new.opened_on, previous.closed_on), new.closed_on)
    return replace(new, opened_on=opened_on, opening=opening, movements=fresh), known


def _keyed(account: str, movements: Iterable[Movement]) -> tuple[Movement, ...]:
    """Return the movements numbered and with keys; equal ones of a day are counted apart."""
    seen: Counter[str] = Counter()
    keyed = []
    for position, movement in enumerate(movements, start=1):
        same = _canonical(account, movement)
        key = hashlib.sha256(f"{same}\n{seen[same]}".encode()).hexdigest()
        seen[same] += 1
        keyed.append(replace(movement, position=position, key=key))
    return tuple(keyed)


def _canonical(account: str, movement: Movement) -> str:
    """Return what makes a movement itself, as JSON: no two different ones write the same."""
    return json.dumps(
        [
            account,
            movement.booked_on.isoformat(),
            movement.units,
            movement.reference,
            movement.end_to_end,
            movement.text,
            [[detail.units, detail.end_to_end] for detail in movement.details],
        ]
    )


def _named(statement: Statement) -> str:
    return f"{statement.number} of {statement.account}".strip()
