"""What receipts do to the books: income against where the money is, and the way back.

Accounts of the règlement ANC 2018-06: 756 cotisations; 7541 dons manuels of persons and
non-profits, 7542 mécénats of companies. The money is on 5301 (cash), 5112 (a cheque), or at the
bank; where statements are brought in it waits for them (`payments.awaited_money`), or is the
movement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.money import show_euros
from provision.subscriptions.documents import numbering
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry
from provision.subscriptions.ledger.models import LedgerTransaction
from provision.subscriptions.payments import awaited_money, booking
from provision.subscriptions.payments.booking import Booking, line
from provision.subscriptions.payments.models import BankMovement

if TYPE_CHECKING:
    from datetime import date
    from typing import TypeAlias

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.receipt_models import Receipt
    from provision.subscriptions.ledger.journal import Line, Moment

    # What a receipt is written down from: a movement of the bank, or a cancelled receipt.
    Origin: TypeAlias = BankMovement | Receipt | None

CASH, CHEQUE = "cash", "cheque"
MEANS = (CASH, CHEQUE, "transfer", "debit", "card")
MONEY = (chart.BANK, chart.CASH, chart.CHEQUES, chart.TRANSFERS, chart.UNEXPLAINED)
KIND = "receipt"


@dataclass(frozen=True)
class ReceiptIncome:
    """What came in: the number of its receipt, the French word for it, its account, its giver.

    `digest` seals the receipt; the entry keeps it as its evidence.
    """

    organisation_id: int
    shown: str
    word: str
    account: str
    party: str
    units: Cents
    means: str
    digest: str


def enter(session: Session, income: ReceiptIncome, origin: Origin, moment: Moment) -> int:
    """Write the entry of what came in, and return its number."""
    earned = line(income.account, -income.units, income.party)
    text = f"{income.word} {income.shown}"
    if isinstance(origin, BankMovement):
        _check_movement(origin, income)
        booked = Booking(KIND, text, (earned,), income.shown)
        return booking.book(session, origin, booked, moment.today)
    place = _place(session, income) if origin is None else _left_over(session, income, origin)
    entry = Entry(
        organisation_id=income.organisation_id,
        effective_on=booking.open_day(session, income.organisation_id, moment.on),
        text=text,
        key=f"receipt:{income.shown}",
        lines=(line(place[0], income.units, place[1]), earned),
        piece=income.shown,
        evidence=income.digest,
    )
    return posting.post(session, entry, moment.today).number


def take_back(session: Session, receipt: Receipt, today: date) -> int:
    """Write the entry that takes a cancelled receipt back, and return its number.

    What no bank has shown goes back from where it was. What one has shown is there, and is to be
    paid back, or to be written down under another receipt: it waits on 580 below zero.
    """
    shown = numbering.shown(receipt.series, receipt.number)
    written = session.get_one(LedgerTransaction, (receipt.organisation_id, receipt.entry_number))
    lines = posting.read(session, written).lines
    (money,) = (posted for posted in lines if posted.account in MONEY)
    (earned,) = (posted for posted in lines if posted.account not in MONEY)
    account, reference = money.account, money.party
    if written.journal == journal.BANK or _arrived(session, receipt, money):
        account, reference = chart.TRANSFERS, awaited_money.of_receipt(shown)
    entry = Entry(
        organisation_id=receipt.organisation_id,
        effective_on=booking.open_day(session, receipt.organisation_id, today),
        text=f"Annulation {shown}",
        key=f"receipt:{shown}:cancelled",
        lines=(
            line(earned.account, receipt.units, earned.party),
            line(account, -receipt.units, reference),
        ),
        piece=shown,
    )
    return posting.post(session, entry, today).number


def _place(session: Session, income: ReceiptIncome) -> tuple[str, str]:
    reference = awaited_money.of_receipt(income.shown)
    if income.means == CASH:
        return chart.CASH, ""
    if income.means == CHEQUE:
        return chart.CHEQUES, reference
    return awaited_money.place(session, income.organisation_id, reference)


def _left_over(session: Session, income: ReceiptIncome, cancelled: Receipt) -> tuple[str, str]:
    """Return where the money of a cancelled receipt waits, or raise UsageRefused."""
    shown = numbering.shown(cancelled.series, cancelled.number)
    reference = awaited_money.of_receipt(shown)
    left = posting.party_units(session, income.organisation_id, chart.TRANSFERS, reference)
    if left != -income.units:
        raise UsageRefused(
            f"{show_euros(-left)} are left of {shown}, not {show_euros(income.units)}",
            "Only the whole money of a cancelled receipt that the bank has shown becomes another.",
        )
    return chart.TRANSFERS, reference


def _arrived(session: Session, receipt: Receipt, money: Line) -> bool:
    """Return whether what waited under a reference waits no more."""
    if not money.party:
        return False
    left = posting.party_units(session, receipt.organisation_id, money.account, money.party)
    return left != receipt.units


def _check_movement(row: BankMovement, income: ReceiptIncome) -> None:
    if row.units != income.units:
        raise UsageRefused(
            f"Movement {row.id} is {show_euros(row.units)}, not {show_euros(income.units)}",
            "Give the amount of the movement.",
        )
    if income.means == CASH:
        raise UsageRefused(f"Movement {row.id} is no cash", "Give the means by which it came.")
