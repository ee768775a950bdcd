"""A business, an association that supports it, and what they sell, for tests of settlements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from provision.money import euros
from provision.subscriptions.books import verify
from provision.subscriptions.documents import issuing
from provision.subscriptions.documents.drafts import CREDIT_NOTE, Buyer, Draft, DraftLine
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.ledger import posting
from provision.subscriptions.ledger.journal import Entry, Line, Moment
from provision.subscriptions.ledger.models import LedgerPosting
from provision.subscriptions.offers import contracts, sharing
from provision.subscriptions.offers.catalogue import Catalogue, Item
from provision.subscriptions.offers.terms import Term
from provision.subscriptions.offers.vat import Treatment
from provision.subscriptions.parties import people
from provision.subscriptions.settling import funds, mandates
from tests.integration.subscriptions.conftest import Shop, founded, newcomer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.subscriptions.offers.models import Fund
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.settling.mandates import MandateWording

FIRST, LATER, TODAY = date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 5)
PLANS = """
[[plan]]
code = "famille"
name = { fr = "Famille", en = "Family" }
users = 5
quota_gib = 100
[[plan.price]]
from = 2026-01-01
monthly = "12.00"
[[plan.component]]
code = "help"
name = { fr = "Accompagnement", en = "Support" }
role = "support"
[[plan.component]]
code = "hosting"
name = { fr = "Serveurs", en = "Servers" }
euro_only = true
[[plan.price]]
from = 2026-01-01
component = "help"
monthly = "6.00"
[[plan.price]]
from = 2026-01-01
component = "hosting"
monthly = "2.40"
"""


@dataclass
class Place(Shop):
    """A shop whose sales are settled, and what a test does there."""

    def fund(self, custodian: Organisation, kind: str = "solidarity") -> Fund:
        """Add a fund that the members' assembly decides about."""
        return funds.add(self.session, f"Pot {kind}", kind, custodian, "L'assemblée")

    def sell(self, on: date = FIRST) -> Invoice:
        """Open a subscription of 20.40 euros with VAT (17.00 without), and invoice its month."""
        made = self.subscribe(self.jeanne, on)
        (number, *_others) = self.issue(made, on, on)
        return self.document(number)

    def credit(self, units: int, on: date, role: str = "service") -> Invoice:
        """Credit so much net of a role, outside any subscription; VAT is left away."""
        catalogue, dealer = Catalogue(self.session), sharing.load(self.session)
        contract = contracts.contract_on(self.session, self.seller, self.supporter, on)
        dealt = dealer.deal(catalogue.agreement(contract.id), role, -units)
        line = DraftLine(
            item=Item("bundle", role, "Famille", 1, units),
            days=None,
            net=units,
            vat=0,
            treatment=Treatment("E", 0),
            contract_id=contract.id,
            carried=dealt.carried,
            shares=tuple((rule, -part) for rule, part in dealt.parts),
        )
        key = f"credit:{on}:{units}:{role}"
        buyer = Buyer(self.party, None, None)
        draft = Draft(self.seller.id, key, buyer, (line,), CREDIT_NOTE, reason="Geste")
        (number,) = issuing.issue(self.session, [draft], catalogue, on)
        sharing.save(self.session, dealer)
        return self.document(number)

    def mandate(self, wording: MandateWording | None = None) -> None:
        """Let the seller make the supporter's invoices from the first day on."""
        wording = wording or mandates.MandateWording("La présidence", FIRST)
        mandates.record(self.session, self.supporter, self.seller, wording, FIRST)

    def invoices(self) -> list[Invoice]:
        """Return the invoices to subscribers."""
        return self.session.query(Invoice).filter_by(organisation_id=self.seller.id).all()

    def paid(self, invoice: Invoice) -> int:
        """Enter that all of it was paid, as payments do, and return the number of the entry."""
        lines = (
            Line("512", euros(invoice.gross)),
            Line("411", euros(-invoice.gross), invoice.party),
        )
        entry = Entry(
            self.seller.id, FIRST, "Paiement", f"paid:{invoice.number}", lines, journal="BQ"
        )
        return posting.post(self.session, entry, FIRST).number

    @property
    def party(self) -> str:
        """How the ledger names Jeanne."""
        return people.reference(self.session, self.jeanne.id)

    def balance(self, organisation: Organisation, account: str, commodity: str = "EUR") -> int:
        """Return debit less credit of an account."""
        rows = self.session.query(LedgerPosting).filter_by(
            organisation_id=organisation.id, account=account, commodity=commodity
        )
        return sum(row.units for row in rows)

    def whole(self) -> None:
        """Everything is as it must be."""
        self.session.flush()
        assert verify.verify(self.session) == []


def opened(
    session: Session, vat: tuple[str, str] = ("liable", "outside_scope"), since: str = "2026-01-01"
) -> Place:
    """Return a place without a contract; `vat` is the seller's regime, and the supporter's."""
    words = {"vat": vat[0], "legal": "SCIC", "self_billing_since": "2026-01-01"}
    seller = founded(session, said=words, siren_typed="732 829 320")
    words |= {"vat": vat[1], "self_billing_since": since}
    name, kind = "Les Amis du Libre", "association"
    supporter = founded(session, name, kind, words, siren_typed="552 100 554")
    made = Place(session, seller, supporter, newcomer(session, "Jeanne"))
    made.bring(PLANS)
    return made


def at(on: date = TODAY, today: date = TODAY) -> Moment:
    """Return when something happened."""
    return Moment(on, today)


def days(first: date, until: date) -> Term:
    """Return the days up to, and without, `until`."""
    return Term(first, until)
