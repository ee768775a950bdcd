"""The files that a creditor hands over to the bank, none larger than the bank takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from provision.errors import PaquetError, UsageRefused
from provision.formats.sepa import pain008
from provision.formats.sepa.characters import shown
from provision.formats.sepa.identifiers import same_creditor
from provision.formats.sepa.mandates import ONE_OFF, RECURRENT, usable
from provision.formats.sepa.pain008 import SCHEMAS, Heading
from provision.formats.sepa.target_days import first_open_day, is_target_day, next_collection_day

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from provision.formats.sepa.debits import Creditor, Debit
    from provision.money import Cents

MOST_DEBITS = 5_000
MOST_FILES = 9_999  # what the four digits of a message's number count
FIRST = "FRST"
# With the time, the number of the file and that of a group it stays within 35 characters.
PREFIX = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,10}[A-Za-z0-9])?")


@dataclass(frozen=True)
class HandOver:
    """How debits go to the bank: due when, made when (local time), named how, in which format.

    Files are named by prefix and second: two hand-overs of one second need two prefixes. `lead` is
    how many open days the bank needs; `announces_first` marks the first debit of a mandate FRST,
    which SEPA no longer asks for.
    """

    collect_on: date
    created_at: datetime
    message_prefix: str
    schema: str = pain008.NEW
    lead: int = 1
    announces_first: bool = False


@dataclass(frozen=True)
class DebitFile:
    """One file for the bank: `count` debits of `total` cents in `content`."""

    name: str
    message_id: str
    content: bytes
    count: int
    total: Cents


def files(debits: Sequence[Debit], creditor: Creditor, hand_over: HandOver) -> Iterator[DebitFile]:
    """Return the files of `debits`, made one by one; all is checked before the first is made.

    The same debits at the same time give the same bytes. A file holds at most 5,000 debits, in
    the order given, each sequence type as a group that the bank books at once. Raises PaquetError
    for a day that is closed or too soon, a mandate that is not usable or another creditor's, a
    debit that is there twice, and when there is nothing to collect.
    """
    _check_hand_over(hand_over)
    _check_debits(debits, creditor, hand_over)
    return _written(_sequences(debits, hand_over), creditor, hand_over)


def _written(
    debits: Iterator[tuple[Debit, str]], creditor: Creditor, hand_over: HandOver
) -> Iterator[DebitFile]:
    number = 0
    while some := list(islice(debits, MOST_DEBITS)):
        number += 1
        message_id = f"{hand_over.message_prefix}-{hand_over.created_at:%Y%m%dT%H%M%S}-{number:04d}"
        heading = Heading(hand_over.schema, message_id, hand_over.created_at, hand_over.collect_on)
        content = pain008.write(some, creditor, heading)
        pain008.validate(content)
        total = sum(debit.units for debit, _ in some)
        yield DebitFile(f"{message_id}.xml", message_id, content, len(some), total)


def _sequences(debits: Sequence[Debit], hand_over: HandOver) -> Iterator[tuple[Debit, str]]:
    """Give each debit with its sequence type; a mandate has one first debit."""
    begun: set[str] = set()
    for debit in debits:
        mandate = debit.mandate
        is_first = mandate.last_collected_on is None and mandate.reference not in begun
        begun.add(mandate.reference)
        if mandate.kind == ONE_OFF:
            yield debit, ONE_OFF
        else:
            yield debit, FIRST if is_first and hand_over.announces_first else RECURRENT


def _check_hand_over(hand_over: HandOver) -> None:
    if hand_over.schema not in SCHEMAS:
        raise UsageRefused(
            f"{shown(hand_over.schema)} is not a format", f"Use {' or '.join(SCHEMAS)}."
        )
    if not PREFIX.fullmatch(hand_over.message_prefix):
        raise UsageRefused(
            f"{shown(hand_over.message_prefix)} cannot begin the name of a file",
            "Use at most 12 letters, digits and inner hyphens.",
        )
    due = hand_over.collect_on
    soonest = next_collection_day(hand_over.created_at.date(), hand_over.lead)
    if due < soonest or not is_target_day(due):
        reason = "too soon" if due < soonest else "a day on which banks are closed"
        raise PaquetError(
            f"The collection day {due} is {reason}",
            f"The next possible day is {first_open_day(max(due, soonest))}.",
        )


def _check_debits(debits: Sequence[Debit], creditor: Creditor, hand_over: HandOver) -> None:
    if not 1 <= len(debits) <= MOST_DEBITS * MOST_FILES:
        raise PaquetError(f"{len(debits)} debits make no file", "Choose what is to be collected.")
    references: set[str] = set()
    spent: set[str] = set()
    for debit in debits:
        mandate = debit.mandate
        usable(mandate, hand_over.created_at.date())
        usable(mandate, hand_over.collect_on)
        if not same_creditor(mandate.creditor_identifier, creditor.creditor_identifier):
            raise PaquetError(
                f"The mandate {mandate.reference} was given to {mandate.creditor_identifier}, "
                f"not to {creditor.creditor_identifier}",
                "Only the creditor who is named in a mandate may use it.",
            )
        _check_once(debit.end_to_end, references, "debit")
        if mandate.kind == ONE_OFF:
            _check_once(mandate.reference, spent, "one-off mandate")


def _check_once(name: str, known: set[str], what: str) -> None:
    if name in known:
        raise PaquetError(f"The {what} {name} is there twice", "Nothing was made: leave one out.")
    known.add(name)
