"""A shop that is liable for VAT, whose subscribers pay in advance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.registry.states import Told
from provision.subscriptions.documents import allocating, describing, open_items
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.ledger import chart
from provision.subscriptions.offers import plans
from provision.subscriptions.payments import paying
from provision.subscriptions.payments.paying import Cash
from provision.subscriptions.selling import deposits
from tests.integration.subscriptions.conftest import Within, profile

if TYPE_CHECKING:
    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.selling.models import Subscription
    from tests.integration.subscriptions.conftest import Shop

FIRST = date(2026, 2, 1)
BEFORE, JUST_BEFORE = date(2025, 12, 1), date(2026, 1, 31)
PRICES = """
[[plan]]
code = "mois"
name = { fr = "Famille", en = "Family" }
users = 5
quota_gib = 100
price = [{ from = 2025-12-01, monthly = "10.00" }]
"""
TOLD = Told("anne", datetime(2026, 2, 1, tzinfo=UTC))


@dataclass
class Counter(Within):
    """One subscription at 10.00 a month (8.33 and 1.67 of VAT), from 1 February 2026 on."""

    one: Subscription

    def deposit(self, units: int, why: str = "", on: date = FIRST) -> Number:
        return deposits.issue(self.session, self.one, units, why, on)

    def pay(self, number: Number, units: int, on: date = FIRST) -> None:
        receipt = f"R{number.shown}-{on}-{allocating.next_position(self.session, number)}"
        cash = Cash(units, on, receipt)
        paying.take_cash(self.session, open_items.of(self.session, number), cash, on)

    def paid(self, units: int) -> Number:
        """Return a deposit that was paid whole."""
        number = self.deposit(units)
        self.pay(number, units)
        return number

    def bill(self, *days: date) -> None:
        self.shop.bill(*days)
        self.session.expire_all()

    def documents(self) -> list[tuple[str, int, int]]:
        """Kind, gross and open cents of each document, in the order they were issued."""
        rows = self.session.scalars(select(Invoice).order_by(Invoice.entry_number))
        return [(one.kind, one.gross, open_items.left_on(self.session, one)) for one in rows]

    def balance(self, account: str) -> int:
        return self.shop.accounts().get(account, 0)

    def books(self) -> dict[str, int]:
        """Customers, deposits, VAT and sales as the ledger has them."""
        accounts = {
            "411": chart.CUSTOMERS,
            "4191": chart.CUSTOMER_DEPOSITS,
            "44571": chart.VAT_COLLECTED,
            "706": chart.SERVICES_SOLD,
        }
        return {name: self.balance(account) for name, account in accounts.items()}


def counter(shop: Shop, mode: str = "resale", first: date = FIRST) -> Counter:
    """Let Jeanne subscribe with a seller that is liable for VAT."""
    shop.contract(mode, since=BEFORE)
    shop.bring(PRICES)
    liable = profile(
        shop.seller.name,
        "liable",
        vat_id="FR44732829320",
        iban="FR1420041010050500013M02606",
        bic="PSSTFRPPPAR",
    )
    for day in (BEFORE, JUST_BEFORE):
        describing.describe(shop.session, shop.seller, liable, day)
    return Counter(shop, shop.subscribe(shop.jeanne, first, plan=plans.get(shop.session, "mois")))
