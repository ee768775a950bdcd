"""An association that gives receipts, and a bank that says what a test wants it to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from provision.registry.states import Told
from provision.subscriptions.commons.receipts import givers, recording
from provision.subscriptions.commons.receipts.recording import AskedReceipt
from provision.subscriptions.documents import describing
from provision.subscriptions.documents.receipt_models import DONATION, MEMBERSHIP
from provision.subscriptions.ledger.journal import Moment
from provision.subscriptions.payments import movements, receiving
from provision.subscriptions.payments.receiving import Source
from tests.integration.subscriptions.conftest import START, Within, profile
from tests.integration.subscriptions.paying_shop import OURS, camt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provision.subscriptions.commons.receipts.entering import Origin
    from provision.subscriptions.commons.receipts.givers import Giver
    from provision.subscriptions.documents.receipt_models import Receipt
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.payments.models import BankMovement
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Said

TODAY, ON = date(2026, 3, 2), date(2026, 3, 1)
TOLD = Told("ana", datetime(2026, 3, 2, tzinfo=UTC), "")
YEAR = (date(2026, 1, 1), date(2026, 12, 31))
STREET = {"lines": ("3 rue du Four",), "postcode": "61100", "city": "Flers"}
SIGNED: dict[str, object] = {
    "registration": "RNA W142000000",
    "purpose": "Des services libres",
    "signed_by": "La trésorière",
}
ELIGIBLE: dict[str, object] = {
    **SIGNED,
    "category": "Organisme d’intérêt général",
    "source": "rescrit du 12 mars 2025",
    "articles": ("200", "238 bis"),
}


@dataclass
class Desk(Within):
    """The association's side of a shop, on the second of March."""

    balance: int = 100_000
    statements: int = 0

    @property
    def association(self) -> Organisation:
        return self.shop.supporter

    def giver(self, typed: str = "jeanne@exemple.test", **said: object) -> Giver:
        return givers.find(self.session, typed, said, (TOLD, TODAY))

    def gift(self, units: int = 5_000, means: str = "transfer", **changes: object) -> AskedReceipt:
        words = {"kind": DONATION, "giver": self.giver(), "units": units, "means": means}
        return AskedReceipt(**{**words, **changes})  # type: ignore[arg-type]

    def fee(self, units: int = 2_000, means: str = "cash") -> AskedReceipt:
        return AskedReceipt(MEMBERSHIP, self.giver(), units, means, YEAR)

    def record(self, asked: AskedReceipt, origin: Origin = None, on: date = ON) -> Receipt:
        moment = Moment(on, TODAY)
        return recording.record(self.session, self.association, asked, moment, origin)

    def cancel(self, receipt: Receipt) -> None:
        recording.cancel(self.session, receipt, "Erreur de saisie", TODAY)

    def bank(self, *said: Said) -> list[BankMovement]:
        """Let the bank of the association say so; return the movements."""
        self.statements += 1
        content = camt(self.statements, TODAY, self.balance, said)
        source = Source(content, f"{self.statements}.xml")
        receiving.bring_in(self.session, self.association, source, TODAY)
        self.balance += sum(one.units for one in said)
        rows = [row for row, _ in movements.unexplained(self.session, self.association.id)]
        return rows[-len(said) :] if said else []

    def accounts(self, organisation: Organisation | None = None) -> dict[str, int]:
        """Return what the accounts of the association, or of another, hold."""
        return self.shop.accounts(organisation or self.association)


def open_desk(
    shop: Shop, receipts: Mapping[str, object] | None = ELIGIBLE, **changes: object
) -> Desk:
    """Describe the association anew: a bank account, and who signs its receipts."""
    words: dict[str, object] = {"iban": OURS, "bic": "PSSTFRPPXXX", "tax_receipts": True}
    told = {**words, "receipts": receipts, **changes}
    described = profile(shop.supporter.name, **told)
    describing.describe(shop.session, shop.supporter, described, START + timedelta(days=1))
    return Desk(shop)
