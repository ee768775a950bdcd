"""A business, an association that supports it, and what they sell, for tests of settlements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from provision.money import euros
from provision.registry.models import Subscriber
from provision.subscriptions.books import verify
from provision.subscriptions.documents import describing, issuing
from provision.subscriptions.documents.drafts import CREDIT_NOTE, Buyer, Draft, DraftLine
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.ledger import posting
from provision.subscriptions.ledger.journal import Entry, Line, Moment
from provision.subscriptions.ledger.models import LedgerPosting
from provision.subscriptions.offers import contracts, planfile, plans, sharing
from provision.subscriptions.offers.catalogue import Catalogue, Item
from provision.subscriptions.offers.terms import Term
from provision.subscriptions.offers.vat import Treatment
from provision.subscriptions.parties import organisations, people, profiles
from provision.subscriptions.selling import due, opening
from provision.subscriptions.selling.opening import Sale
from provision.subscriptions.settling import funds, mandates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.offers.contracts import Share
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
class Place:
    """What a test works with: all in one open unit of work."""

    session: Session
    seller: Organisation
    supporter: Organisation
    jeanne: Subscriber

    def contract(self, shares: Sequence[Share] = (), mode: str = "resale") -> None:
        """Let them share 70 and 30, or by `shares`."""
        given = list(shares) or contracts.two(self.seller, self.supporter, (70, 30))
        contracts.add(self.session, self.seller, self.supporter, given, terms=(mode, FIRST))

    def fund(self, custodian: Organisation, kind: str = "solidarity") -> Fund:
        """Add a fund that the members' assembly decides about."""
        return funds.add(self.session, f"Pot {kind}", kind, custodian, "L'assemblée")

    def sell(self, on: date = FIRST) -> Invoice:
        """Open a subscription of 20.40 euros with VAT (17.00 without), and invoice its month."""
        sale = Sale(plans.get(self.session, "famille"), self.seller, self.supporter)
        made = opening.open_subscription(self.session, self.jeanne, sale, today=on)
        version = made.versions[0]
        one = due.Due(
            subscription_id=made.id,
            billed_to=on,
            last_day=None,
            party=self.party,
            language="fr",
            identity_id=None,
            versions=(
                due.Version(
                    version.from_day,
                    version.anchor_day,
                    version.plan_id,
                    version.period,
                    version.priced_on,
                    version.contract_id,
                    version.users,
                    version.gib,
                    version.means,
                ),
            ),
        )
        catalogue, dealer = Catalogue(self.session), sharing.load(self.session)
        wanted, made.billed_to = due.drafts_of(one, on, catalogue, dealer)
        (number, *_others) = issuing.issue(self.session, wanted, catalogue, on)
        sharing.save(self.session, dealer)
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

    def document(self, number: Number) -> Invoice:
        """Return the document of a number."""
        place = (number.organisation_id, number.series, number.number)
        return self.session.get_one(Invoice, place)

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


def profile(name: str, vat: str, since: str = "2026-01-01") -> profiles.Profile:
    """Return what documents say of an organisation."""
    return profiles.Profile(
        name=name,
        legal="SCIC",
        address=profiles.Address(lines=("1 rue du Port",), postcode="14000", city="Caen"),
        email="bonjour@exemple.test",
        vat=vat,  # type: ignore[arg-type]
        self_billing_since=since,
    )


def opened(
    session: Session, vat: tuple[str, str] = ("liable", "outside_scope"), since: str = "2026-01-01"
) -> Place:
    """Return a place without a contract; `vat` is the seller's regime, and the supporter's."""
    seller = organisations.add(session, "Boutique Libre", "business", siren_typed="732 829 320")
    supporter = organisations.add(
        session, "Les Amis du Libre", "association", siren_typed="552 100 554"
    )
    describing.describe(session, seller, profile(seller.name, vat[0]), FIRST)
    describing.describe(session, supporter, profile(supporter.name, vat[1], since), FIRST)
    plans.bring_in(session, planfile.parse(PLANS))
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    jeanne = Subscriber(
        name="Jeanne", email="jeanne@exemple.test", language="fr", created_at=moment
    )
    session.add(jeanne)
    session.flush()
    return Place(session, seller, supporter, jeanne)


def at(on: date = TODAY, today: date = TODAY) -> Moment:
    """Return when something happened."""
    return Moment(on, today)


def days(first: date, until: date) -> Term:
    """Return the days up to, and without, `until`."""
    return Term(first, until)
