"""The numbers of documents: a series per organisation, kind and year, without gaps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.errors import UsageRefused
from provision.subscriptions.documents import drafts
from provision.subscriptions.documents.models import Invoice

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.documents.receipt_models import Receipt
    from provision.subscriptions.parties.profiles import Profile

# Documents that the buyer makes have series of their own (CGI, annexe II, art. 242 nonies A, 7°).
SELF_BILLED = MappingProxyType({drafts.SELF_BILLED: "AF", drafts.SELF_BILLED_CREDIT: "AFA"})
SHOWN = re.compile(r"([A-Z]{1,4}[0-9]{4})-([0-9]{6,9})")


@dataclass
class Series:
    """Where a series of one organisation is: its next number, and the day of the last one."""

    organisation_id: int
    name: str
    last: int
    last_day: date | None

    def take(self, day: date) -> int:
        """Return the next number, for a document of `day`. Raises UsageRefused for an earlier day.

        Numbers follow the days (CGI, annexe II, article 242 nonies A): a clock that goes back
        stops the series, it does not disorder it.
        """
        if self.last_day is not None and day < self.last_day:
            raise UsageRefused(
                f"{day} is before {self.last_day}, the day of the last document of {self.name}",
                "Bill on that day or later; and see whether the clock of this machine is right.",
            )
        self.last, self.last_day = self.last + 1, day
        return self.last


def series(
    session: Session,
    organisation_id: int,
    name: str,
    table: type[Invoice | Receipt] = Invoice,
) -> Series:
    """Return where the series is now: one of invoices, or of receipts.

    Its last document is the latest too: triggers keep days in the order of numbers.
    """
    of_series = (table.organisation_id == organisation_id, table.series == name)
    last = session.execute(
        select(table.number, table.issued_on)
        .where(*of_series)
        .order_by(table.number.desc())
        .limit(1)
    ).first()
    return Series(organisation_id, name, *(last or (0, None)))


def prefix(profile: Profile, kind: str) -> str:
    """Return how the series of this kind of document begins: "F", "A", "AF" or "AFA".

    Deposits are invoices (CGI, article 289, I-1-c), and are numbered among them.
    """
    if kind in drafts.CLAIMS:
        return profile.invoice_prefix
    return {drafts.CREDIT_NOTE: profile.credit_prefix, **SELF_BILLED}[kind]


def name_of(prefix: str, day: date) -> str:
    """Return the series of a prefix in the year of `day`: "F2026"."""
    return f"{prefix}{day.year}"


def shown(name: str, number: int) -> str:
    """Return a number as the document shows it: "F2026-000001"."""
    return f"{name}-{number:06d}"


def parse(typed: str) -> tuple[str, int]:
    """Return series and number of what a document shows, or raise UsageRefused."""
    match = SHOWN.fullmatch(typed.strip().upper())
    if match is None:
        raise UsageRefused(
            f"{typed[:40]!r} is not the number of an invoice", "It looks like F2026-000001."
        )
    return match[1], int(match[2])
