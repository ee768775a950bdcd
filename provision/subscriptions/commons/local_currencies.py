"""Payments in a local currency: one for one euro, kept in a cash of its own, no change in euros.

Law 2014-856, article 16 (CMF L311-5). The books are in euros (5302 against 411); how many pieces of
the currency there are is a pair of lines in its own commodity, 5302 against 809, which is no
money of the books.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import edges, money
from provision.errors import UsageRefused
from provision.money import LOCAL, Amount, euros
from provision.subscriptions.commons import in_kind
from provision.subscriptions.commons.in_kind import InKind
from provision.subscriptions.commons.models import LocalCurrency
from provision.subscriptions.ledger import chart, journal
from provision.subscriptions.ledger.journal import Line

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.models import Invoice
    from provision.subscriptions.ledger.journal import Moment
    from provision.subscriptions.parties.models import Organisation


def add(session: Session, code: str, name: str, issuer: Organisation) -> LocalCurrency:
    """Write a currency that is accepted; its code is MLC and 2 to 12 capital letters or digits."""
    if not LOCAL.fullmatch(code):
        raise UsageRefused(
            f"{code[:40]!r} is not the code of a local currency", "It looks like MLCROLLON."
        )
    if session.get(LocalCurrency, code) is not None:
        raise UsageRefused(f"There is a currency {code} already", "Choose another code.")
    currency = LocalCurrency(code=code, name=edges.person_name(name, "name"), issuer=issuer)
    session.add(currency)
    session.flush()
    return currency


def get(session: Session, code: str) -> LocalCurrency:
    """Return the currency of this code, or raise UsageRefused."""
    currency = session.get(LocalCurrency, code)
    if currency is None:
        raise UsageRefused(
            f"There is no local currency {code[:40]!r}", "See: paquet exchange currencies"
        )
    return currency


def everyone(session: Session) -> list[LocalCurrency]:
    """Return all currencies by code."""
    return list(session.scalars(select(LocalCurrency).order_by(LocalCurrency.code)))


def pay(
    session: Session, invoice: Invoice, currency: LocalCurrency, units: Cents, moment: Moment
) -> None:
    """Set a payment in pieces of `currency` (cents of it) against the invoice.

    Raises UsageRefused for more than can be paid so: no change is given in euros.
    """
    pieces = money.find_commodity(currency.code)
    payment = InKind(
        kind=in_kind.LOCAL,
        name=currency.name,
        taken=Line(chart.LOCAL_CASH, euros(units)),
        text=f"Paiement en {currency.code}",
        key=in_kind.next_key(session, invoice, in_kind.LOCAL),
        beside=(
            Line(chart.LOCAL_CASH, Amount(pieces, units)),
            Line(chart.COUNTERPART, Amount(pieces, -units)),
        ),
        journal=journal.BANK,
    )
    in_kind.pay(session, invoice, payment, moment)
