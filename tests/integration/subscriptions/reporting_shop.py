"""A small world whose every euro can be counted by hand."""

from __future__ import annotations

import subprocess
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provision import database
from provision.days import ONE_DAY
from provision.migrations import upgrades
from provision.money import euros
from provision.registry.models import Bundle, Order, Server
from provision.subscriptions.documents import issuing
from provision.subscriptions.documents.drafts import CREDIT_NOTE, Buyer, Draft, DraftLine
from provision.subscriptions.documents.models import Allocation, InvoiceLine
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry, Line
from provision.subscriptions.offers import plans, sharing
from provision.subscriptions.offers.catalogue import Catalogue, Item
from provision.subscriptions.offers.models import Fund
from provision.subscriptions.offers.tariffs import Means
from provision.subscriptions.offers.terms import Term
from provision.subscriptions.offers.vat import Treatment
from provision.subscriptions.parties import organisations
from provision.subscriptions.reports import factsfile
from provision.subscriptions.reports.gather_scope import Scope
from provision.subscriptions.reports.gathering import gather
from provision.subscriptions.selling import opening
from provision.subscriptions.selling.models import Discount
from provision.subscriptions.settling import settlements
from tests.integration.subscriptions.conftest import Trade, founded, newcomer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest
    from sqlalchemy import Engine

    from provision.subscriptions.documents.models import Invoice
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.reports.facts import Facts
    from provision.subscriptions.selling.models import Subscription

BOOKED = 7  # movements of the bank in the world below
START = date(2026, 1, 1)
UNTIL = date(2026, 3, 31)
BUSINESS, ASSOCIATION = "Boutique Libre", "Les Amis du Libre"
PLANS = """
[[plan]]
code = "famille"
name = { fr = "Famille", en = "Family" }
users = 5
quota_gib = 100
[[plan.tier]]
code = "solidaire"
name = { fr = "Solidaire", en = "Solidarity" }
basis_points = 5000
[[plan.price]]
from = 2026-01-01
monthly = "12.00"
yearly = "120.00"

[[plan]]
code = "essai"
name = { fr = "Essai", en = "Trial" }
users = 1
quota_gib = 10
trial_days = 30
[[plan.price]]
from = 2026-01-01
monthly = "6.00"

[[plan]]
code = "nuage"
name = { fr = "Nuage", en = "Cloud" }
users = 1
quota_gib = 10
[[plan.component]]
code = "serveur"
name = { fr = "Serveur", en = "Server" }
role = "hosting"
[[plan.price]]
from = 2026-01-01
monthly = "12.00"
[[plan.price]]
from = 2026-01-01
component = "serveur"
monthly = "6.00"
"""


@dataclass
class Counted(Trade):
    """A liable business of Calvados and an association of the Orne, sharing 70 and 30."""

    counted: int = 0

    def sold(self, name: str, day: date, **words: str) -> Subscription:
        """Open a subscription of somebody new: `plan`, `period`, `kind` of person, `tier`."""
        who = newcomer(self.session, name, words.get("kind", "person"))
        plan = plans.get(self.session, words.get("plan", "famille"))
        means = Means(tier=words.get("tier", ""))
        return self.subscribe(
            who, day, plan=plan, period=words.get("period", "monthly"), means=means
        )

    def pay(
        self,
        shown: str,
        units: int,
        day: date,
        kind: str = "payment",
        *,
        issuer: Organisation | None = None,
    ) -> None:
        """Enter money of the bank, and set it against a document; below zero it comes back."""
        one = self.document(shown, issuer)
        self.counted += 1
        sign = -1 if one.kind == CREDIT_NOTE else 1
        lines = (
            Line(chart.BANK, euros(sign * units)),
            Line(chart.CUSTOMERS, euros(-sign * units), one.party),
        )
        entry = Entry(
            one.organisation_id, day, "Banque", f"bank:{self.counted}", lines, journal.BANK, shown
        )
        number = posting.post(self.session, entry, day).number
        self.session.add(
            Allocation(
                organisation_id=one.organisation_id,
                series=one.series,
                number=one.number,
                position=1 + self._allocated(one),
                units=units,
                kind=kind,
                entry_number=number,
                allocated_on=day,
            )
        )
        self.session.flush()

    def _allocated(self, one: Invoice) -> int:
        return (
            self.session.scalar(
                select(func.count()).where(
                    Allocation.organisation_id == one.organisation_id,
                    Allocation.series == one.series,
                    Allocation.number == one.number,
                )
            )
            or 0
        )

    def credit(self, shown: str, day: date) -> None:
        """Issue a credit note of all of an invoice."""
        one = self.document(shown)
        catalogue, dealer = Catalogue(self.session), sharing.load(self.session)
        lines = []
        for line in self.session.scalars(
            select(InvoiceLine).where(
                InvoiceLine.series == one.series, InvoiceLine.number == one.number
            )
        ):
            shared = dealer.deal(catalogue.agreement(line.contract_id or 0), line.role, -line.net)
            lines.append(
                DraftLine(
                    item=Item(line.component, line.role, line.label, line.quantity, line.net),
                    days=Term(line.starts_on or day, (line.ends_on or day) + ONE_DAY),
                    net=line.net,
                    vat=line.vat,
                    treatment=Treatment(line.vat_category, line.vat_rate),
                    contract_id=line.contract_id,
                    carried=shared.carried,
                    shares=tuple((rule, -units) for rule, units in shared.parts),
                )
            )
        buyer = Buyer(one.party, one.identity_id, one.subscription_id)
        draft = Draft(
            one.organisation_id,
            f"credit:{shown}",
            buyer,
            tuple(lines),
            CREDIT_NOTE,
            (one.series, one.number),
            "geste",
        )
        issuing.issue(self.session, [draft], catalogue, day)
        sharing.save(self.session, dealer)
        self.session.flush()

    def order(self, name: str, day: date) -> Subscription:
        """Return the subscription of an order that waits to be delivered."""
        self.session.merge(Server(name="un"))
        who = newcomer(self.session, name)
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        bundle = Bundle(
            name=f"b{name}",
            subscriber_id=who.id,
            domain=f"{name}.exemple.test",
            cloud="light",
            server="un",
            backup_server="un",
            quota_bytes=1,
            dkim_selector="a",
            dkim_public_key="a",
            created_at=moment,
        )
        self.session.add(bundle)
        self.session.flush()
        made = Order(subscriber_id=who.id, bundle_id=bundle.id, wish={}, placed_at=moment)
        self.session.add(made)
        self.session.flush()
        return self.subscribe(who, day, order_id=made.id)

    def deliver(self, one: Subscription, day: date) -> None:
        opening.begin(self.session, one, day)

    def cancel(self, one: Subscription, day: date) -> None:
        opening.withdraw(self.session, one, day)

    def discount(self, one: Subscription, first: date, last: date, basis_points: int) -> None:
        self.session.add(
            Discount(
                subscription_id=one.id,
                first_day=first,
                last_day=last,
                basis_points=basis_points,
                reason="geste",
            )
        )
        self.session.flush()

    def fund(self, name: str, kind: str) -> Fund:
        made = Fund(name=name, kind=kind, custodian=self.supporter, decider="l'assemblée")
        self.session.add(made)
        self.session.flush()
        return made

    def settle(self, day: date) -> None:
        """Let the business pay the association its part of all that was sold by a day."""
        made = settlements.make(self.session, self.seller, self.supporter, day, day)
        assert made is not None
        settlements.invoice(self.session, made, day)
        settlements.pay(self.session, made, day, day)


def build(session: Session, *, described: bool = True) -> Counted:
    """Return the two organisations and their plans, in an open unit of work."""
    liable = {"vat": "liable"} if described else None
    exempt = {"vat": "association_accessory"} if described else None
    made = Counted(
        session,
        founded(session, BUSINESS, "business", liable, territory="Calvados"),
        founded(session, ASSOCIATION, "association", exempt, territory="Orne"),
    )
    made.bring(PLANS)
    return made


def year_begins(world: Counted) -> None:
    """Let Jeanne, Karim and Lise subscribe, and pay 156.00 € until the end of March.

    | document | who | net + VAT | paid |
    |---|---|---|---|
    | F2026-000001 | Jeanne, January | 10 + 2 | all in January |
    | F2026-000002 | Lise, from 15 January | 10 + 2 | all in January |
    | F2026-000003 | Jeanne, February | 10 + 2 | 5 in February, 7 in March |
    | F2026-000004 | Karim, a year | 100 + 20 | all in February |
    | F2026-000005 | Lise, from 15 February | 10 + 2 | nothing; she left on 14 March |
    | F2026-000006 | Jeanne, March | 10 + 2 | all in March, and returned in March |
    """
    world.contract()
    world.sold("Jeanne", START)
    lise = world.sold("Lise", date(2026, 1, 15), kind="non-profit")
    world.bill(START, date(2026, 1, 15))
    world.sold("Karim", date(2026, 2, 1), period="yearly")
    lise.last_day = date(2026, 3, 14)
    world.bill(date(2026, 2, 1), date(2026, 2, 15), date(2026, 3, 1), date(2026, 3, 20))
    world.pay("F2026-000001", 1200, date(2026, 1, 20))
    world.pay("F2026-000002", 1200, date(2026, 1, 21))
    world.pay("F2026-000004", 12000, date(2026, 2, 10))
    world.pay("F2026-000003", 500, date(2026, 2, 20))
    world.pay("F2026-000003", 700, date(2026, 3, 5))
    world.pay("F2026-000006", 1200, date(2026, 3, 5))
    world.pay("F2026-000006", -1200, date(2026, 3, 12), "return")
    world.session.commit()


def again(session: Session) -> Counted:
    """Return the world of a registry in which it was built before."""
    seller, supporter = (organisations.get(session, name) for name in (BUSINESS, ASSOCIATION))
    return Counted(session, seller, supporter, counted=BOOKED)


@contextmanager
def registry(kind: str, folder: Path, postgresql: Callable[[], Path]) -> Iterator[Engine]:
    """An empty registry for many tests, each of which takes back what it did."""
    url, where = f"sqlite:///{folder / 'registry.db'}", Path()
    name = f"r{uuid4().hex}"
    if kind == "postgresql":
        where = postgresql()
        _ask(where, f"CREATE DATABASE {name}")
        url = f"postgresql://paquet@/{name}?host={where}"
    engine = database.connect(url)
    upgrades.upgrade(engine)
    yield engine
    engine.dispose()
    if kind == "postgresql":
        _ask(where, f"DROP DATABASE {name} (FORCE)")


def _ask(where: Path, question: str) -> None:
    psql = ["psql", "-h", str(where), "-U", "paquet", "-d", "postgres", "-qc", question]
    subprocess.run(psql, check=True, capture_output=True)


def kept(
    request: pytest.FixtureRequest,
    folders: pytest.TempPathFactory,
    work: Callable[[Session], object],
) -> Iterator[Engine]:
    """Yield a registry, on the engine that is asked for, in which `work` was done."""
    with registry(
        request.param, folders.mktemp("kept"), lambda: request.getfixturevalue("postgresql_folder")
    ) as engine:
        with Session(engine, expire_on_commit=False) as session:
            work(session)
            session.commit()
        yield engine


def gathered(world: Counted, until: date = UNTIL, told: str = "", **scope: object) -> Facts:
    facts = factsfile.parse(told)
    return gather(world.session, Scope(until, **scope), facts)  # type: ignore[arg-type]


def by_kind(facts: Facts) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for portion in facts.portions:
        sums[portion.beneficiary_kind] += portion.cents
    return dict(sums)
