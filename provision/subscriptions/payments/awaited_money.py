"""Money that is in the books before the bank has shown it: cheques, receipts, gifts, payouts.

Each stands under a reference of its own (the `party` of its lines): a cheque on 5112 until it is
banked, the payout of a card provider on 5115, what else goes through the bank on 580, as a
transfer under way, where statements are brought in. The movement that shows it takes it from there,
so nothing enters the bank twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.columns import DAY
from provision.errors import UsageRefused
from provision.formats.bank.candidates import AWAITED, Expected
from provision.money import show_euros
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.receipt_models import Receipt
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry
from provision.subscriptions.ledger.models import LedgerPosting, LedgerTransaction
from provision.subscriptions.parties.identities import parse
from provision.subscriptions.parties.models import Identity
from provision.subscriptions.payments import booking
from provision.subscriptions.payments.booking import Booking, line
from provision.subscriptions.payments.models import BankStatement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.ledger.journal import Moment
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.payments.models import BankMovement

RECEIPT, CHEQUE, GIFT, PAYOUT = "receipt-", "cheque-", "gift-", "payout-"
BY_BANK = (CHEQUE, GIFT, PAYOUT)  # what no card pays
CHEQUE_NUMBER = re.compile(r"[A-Z0-9-]{1,30}")
PLACES = (chart.CHEQUES, chart.CARD_PAYMENTS, chart.TRANSFERS)


@dataclass(frozen=True)
class AwaitedMoney:
    """Cents that wait on an account under a reference since a day; below zero to be paid back."""

    account: str
    reference: str
    units: Cents
    since: date

    @property
    def shown(self) -> str:
        """How people name it: the number of a receipt, or 'cheque-0000123'."""
        return self.reference.removeprefix(RECEIPT)

    @property
    def payout(self) -> tuple[str, str]:
        """The provider that pays it out, and how it calls that; '' where none does."""
        if not self.reference.startswith(PAYOUT):
            return "", ""
        provider, _, name = self.reference.removeprefix(PAYOUT).partition("-")
        return provider, name


def of_receipt(shown: str) -> str:
    """Return the reference of what a receipt tells of."""
    return f"{RECEIPT}{shown}"


def of_cheque(typed: str) -> str:
    """Return the reference of a cheque by its number, or raise UsageRefused."""
    number = typed.strip().upper().removeprefix(CHEQUE.upper())
    if not CHEQUE_NUMBER.fullmatch(number):
        raise UsageRefused(
            f"{typed[:40]!r} is not the number of a cheque", "Use 1 to 30 letters, digits and -."
        )
    return f"{CHEQUE}{number}"


def of_payout(provider: str, reference: str) -> str:
    """Return the reference of what a card provider pays out."""
    return f"{PAYOUT}{provider}-{reference}"


def place(session: Session, organisation_id: int, reference: str) -> tuple[str, str]:
    """Return the account and the reference under which money from bank to bank is entered.

    An organisation whose statements are not brought in has nothing but this entry: 512.
    """
    known = select(BankStatement.id).where(BankStatement.organisation_id == organisation_id)
    if session.scalar(known.limit(1)) is None:
        return chart.BANK, ""
    return chart.TRANSFERS, reference


def everything(session: Session, organisation_id: int) -> list[AwaitedMoney]:
    """Return all that waits with an organisation, by account and reference."""
    posting, entry = LedgerPosting, LedgerTransaction
    total = func.sum(posting.units)
    rows = session.execute(
        select(posting.account, posting.party, total, func.max(entry.effective_on, type_=DAY))
        .join(
            entry,
            (entry.organisation_id == posting.organisation_id) & (entry.number == posting.number),
        )
        .where(
            posting.organisation_id == organisation_id,
            posting.account.in_(PLACES),
            posting.party != "",
        )
        .group_by(posting.account, posting.party)
        .having(total != 0)
        .order_by(posting.account, posting.party)
    )
    return [
        AwaitedMoney(account, party, int(units), since) for account, party, units, since in rows
    ]


def names(session: Session, organisation_id: int, typed: Sequence[str]) -> bool:
    """Return whether a word names a cheque, a gift, a payout or a receipt: it may wait."""
    return any(
        word.casefold().startswith(BY_BANK) or _receipt(session, organisation_id, word) is not None
        for word in typed
    )


def bank(
    session: Session, row: BankMovement, typed: Sequence[str], today: date
) -> list[AwaitedMoney]:
    """Book a movement as what shows all of these, to the cent; return them.

    Raises UsageRefused when something does not wait, or the sum is another one.
    """
    chosen = _summed(session, row.organisation_id, typed, (f"Movement {row.id}", row.units))
    text = f"Relevé : {', '.join(money.shown for money in chosen)}"
    lines = tuple(line(money.account, -money.units, money.reference) for money in chosen)
    booking.book(session, row, Booking(AWAITED, text, lines), today)
    return chosen


def taken(
    session: Session, organisation_id: int, typed: Sequence[str], units: Cents
) -> list[AwaitedMoney]:
    """Return what a payment through a card provider is, to the cent: fees and donations by card.

    Raises UsageRefused for anything else that waits: it comes by the bank.
    """
    if any(word.casefold().startswith(BY_BANK) for word in typed):
        raise UsageRefused("Only a fee or a donation is paid by card", "Name its receipt.")
    return _summed(session, organisation_id, typed, ("The payment", units))


def remit(
    session: Session, organisation: Organisation, typed: Sequence[str], moment: Moment
) -> list[AwaitedMoney]:
    """Write that what waits went through the bank (512), where no statements are brought in.

    Raises UsageRefused where they are (the movement that shows it takes it), for a sum of zero, and
    for a day before what is remitted.
    """
    if place(session, organisation.id, "")[0] != chart.BANK:
        raise UsageRefused(
            f"The statements of {organisation.name} are brought in: one will show this",
            "Then: paquet payment match ORGANISATION MOVEMENT WHAT...",
        )
    chosen = _chosen(session, organisation.id, typed)
    total = sum(money.units for money in chosen)
    _check_remittance(chosen, total, moment)
    entry = Entry(
        organisation_id=organisation.id,
        effective_on=booking.open_day(session, organisation.id, moment.on),
        text=f"Remise : {', '.join(money.shown for money in chosen)}",
        key=f"remittance:{posting.end_of(session, organisation.id)[0]}",
        lines=(
            line(chart.BANK, total),
            *(line(money.account, -money.units, money.reference) for money in chosen),
        ),
        journal=journal.BANK,
    )
    posting.post(session, entry, moment.today)
    return chosen


def expected(session: Session, organisation: Organisation) -> list[Expected]:
    """Return what the bank of an organisation is to show, with who gave it where that is known.

    A statement may call a payout by the provider's own reference; its name is that of the provider.
    """
    return [
        Expected(
            kind=AWAITED,
            reference=money.shown,
            units=money.units,
            end_to_ends=frozenset(),
            names=_givers(session, organisation.id, money),
            iban="",
            due_on=money.since,
            document=money.payout[1],
        )
        for money in everything(session, organisation.id)
    ]


def _givers(session: Session, organisation_id: int, money: AwaitedMoney) -> tuple[str, ...]:
    """Return who pays a payout, or gave what a receipt tells of, as far as it is known."""
    if money.account == chart.CARD_PAYMENTS:
        return money.payout[:1]
    receipt = _receipt(session, organisation_id, money.shown)
    identity = session.get(Identity, receipt.identity_id) if receipt else None
    return (parse(identity.content).name,) if identity else ()


def _chosen(session: Session, organisation_id: int, typed: Sequence[str]) -> list[AwaitedMoney]:
    every = {money.shown.casefold(): money for money in everything(session, organisation_id)}
    wanted = dict.fromkeys(word.strip().casefold() for word in typed)
    for word in wanted:
        if word not in every:
            raise UsageRefused(
                f"{word[:40]!r} does not wait for the bank",
                "See: paquet payment awaited. What was entered on 512 before there were statements "
                "is cancelled, and written down again with --movement.",
            )
    return [every[word] for word in wanted]


def _summed(
    session: Session, organisation_id: int, typed: Sequence[str], what: tuple[str, Cents]
) -> list[AwaitedMoney]:
    """Return what is named, if it comes to what came, of which `what` says the name and cents."""
    chosen, (name, units) = _chosen(session, organisation_id, typed), what
    total = sum(money.units for money in chosen)
    if total != units:
        raise UsageRefused(
            f"{name} is {show_euros(units)}, and {show_euros(total)} are waited for",
            "Name all that it brought, and nothing else.",
        )
    return chosen


def _check_remittance(chosen: Sequence[AwaitedMoney], total: Cents, moment: Moment) -> None:
    if not total:
        raise UsageRefused(
            "What is named comes to nothing: no money goes through the bank",
            "Name what was remitted, and what was paid back, each on its own.",
        )
    since = max(money.since for money in chosen)
    if moment.on < since:
        raise UsageRefused(
            f"{moment.on} is before {since}, the day of what is named",
            "Give the day on which it went to the bank: --on.",
        )


def _receipt(session: Session, organisation_id: int, typed: str) -> Receipt | None:
    match = numbering.SHOWN.fullmatch(typed.strip().upper())
    return match and session.get(Receipt, (organisation_id, match[1], int(match[2])))
