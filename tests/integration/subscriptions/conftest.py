from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from provision.post import bounces
from provision.registry.models import Subscriber
from provision.subscriptions.documents import describing, issuing, numbering
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.ledger import posting
from provision.subscriptions.offers import contracts, planfile, plans, sharing
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.parties import identities, organisations
from provision.subscriptions.parties.profiles import Address, Profile
from provision.subscriptions.selling import billing, charges, due, opening
from provision.subscriptions.selling.opening import Sale
from tests.integration.subscriptions.mail_keeper import keeping
from tests.integration.subscriptions.mail_taker import taking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from provision.subscriptions.offers.contracts import Share
    from provision.subscriptions.offers.models import Plan
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.selling.models import Subscription
    from tests.integration.subscriptions.mail_keeper import Keeper
    from tests.integration.subscriptions.mail_taker import Taker

START = date(2026, 1, 1)
DAY = date(2026, 11, 30)  # on which commands are typed where a file names no TODAY
PLANS = """
[[plan]]
code = "famille"
name = { fr = "Famille", en = "Family" }
users = 5
quota_gib = 100
[[plan.price]]
from = 2026-01-01
monthly = "10.00"
yearly = "110.00"
"""


def profile(name: str, vat: object = "association_accessory", **changes: object) -> Profile:
    """What the documents of an organisation say in these tests."""
    words: dict[str, object] = {
        "name": name,
        "legal": f"{name}, Caen",
        "address": Address(lines=("1 rue du Port",), postcode="14000", city="Caen"),
        "email": "bonjour@exemple.test",
        "vat": vat,
    }
    return Profile.model_validate({**words, **changes}, strict=False)


def founded(
    session: Session,
    name: str = "Boutique Libre",
    kind: str = "business",
    said: Mapping[str, object] | None = MappingProxyType({}),
    **words: str,
) -> Organisation:
    """Return a new organisation; its documents say `said` from the first day on, None nothing."""
    made = organisations.add(session, name, kind, **words)
    if said is not None:
        describing.describe(session, made, profile(name, **said), START)
    return made


def newcomer(session: Session, name: str, kind: str = "person") -> Subscriber:
    """Return a new subscriber; any other `kind` than a person is kept with the first identity."""
    email = f"{name.lower()}@exemple.test"
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    made = Subscriber(name=name, email=email, language="fr", created_at=moment)
    session.add(made)
    session.flush()
    if kind != "person":
        address = {"lines": ("2 rue du Quai",), "postcode": "14000", "city": "Caen"}
        words = {"name": name, "email": email, "kind": kind, "address": address}
        person = identities.Person.model_validate(words, strict=False)
        identities.write(session, made, person, START)
    return made


@dataclass
class Trade:
    """A business and an association, in an open unit of work: each shop adds what it needs."""

    session: Session
    seller: Organisation
    supporter: Organisation

    @property
    def plan(self) -> Plan:
        """What most tests sell."""
        return plans.get(self.session, "famille")

    def bring(self, text: str) -> None:
        """Bring plans in."""
        plans.bring_in(self.session, planfile.parse(text))

    def contract(
        self,
        mode: str = "resale",
        supporter: int = 30,
        seller: int = 70,
        *,
        shares: Sequence[Share] = (),
        since: date = START,
    ) -> None:
        """Let them share by these parts, or by `shares`."""
        given = shares or contracts.two(self.seller, self.supporter, (seller, supporter))
        contracts.add(self.session, self.seller, self.supporter, given, terms=(mode, since))

    def sale(self, **changes: object) -> Sale:
        return Sale(**{**vars(Sale(self.plan, self.seller, self.supporter)), **changes})

    def subscribe(self, who: Subscriber, day: date = START, **changes: object) -> Subscription:
        """Open a subscription, of 10 euros a month unless something else is sold."""
        return opening.open_subscription(self.session, who, self.sale(**changes), today=day)

    def bill(self, *days: date) -> billing.BillingOutcome:
        """Commit, and bill all that is due by each day; return what the last one did."""
        self.session.commit()
        engine = self.session.get_bind()
        assert isinstance(engine, Engine)
        return [billing.bill(engine, day) for day in days][-1]

    def issue(self, one: Subscription, by: date, on: date) -> list[Number]:
        """Bill one subscription for all terms that began by a day, without a commit."""
        catalogue, dealer = Catalogue(self.session), sharing.load(self.session)
        due_of = charges.due_of(self.session, one)
        wanted, one.billed_to = due.drafts_of(due_of, by, catalogue, dealer)
        numbers = issuing.issue(self.session, wanted, catalogue, on)
        sharing.save(self.session, dealer)
        return numbers

    def document(self, number: Number | str, issuer: Organisation | None = None) -> Invoice:
        """Return the document of a number; as people write it, of the seller or an `issuer`."""
        if isinstance(number, str):
            number = Number((issuer or self.seller).id, *numbering.parse(number))
        return self.session.get_one(Invoice, (number.organisation_id, number.series, number.number))

    def accounts(self, organisation: Organisation | None = None) -> dict[str, int]:
        """Return what the accounts of the seller, or of another, hold."""
        sight = posting.Sight((organisation or self.seller).id)
        return {
            one.account: one.amount.units
            for one in posting.balance(self.session, sight)
            if one.amount.units
        }


@dataclass
class Shop(Trade):
    """Where Jeanne comes to subscribe."""

    jeanne: Subscriber

    def sell_odd(self, day: date) -> None:
        """Be liable for VAT, and bill what no base reaches: 3.33 € with VAT inside."""
        liable = profile("Boutique Libre", "liable", vat_id="FR44732829320")
        describing.describe(self.session, self.seller, liable, date(2026, 2, 1))
        self.bring(PLANS.replace("famille", "impair").replace('"10.00"', '"3.33"'))
        self.subscribe(self.jeanne, day, plan=plans.get(self.session, "impair"))
        self.bill(day)


@dataclass
class Within:
    """A side of a shop, with what a test does there."""

    shop: Shop

    @property
    def session(self) -> Session:
        return self.shop.session


@pytest.fixture(scope="module", autouse=True)
def noon(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test reads the clock of the day: it is noon of what its file calls TODAY, or of DAY."""
    with pytest.MonkeyPatch.context() as patch:
        at_noon(patch, getattr(request.module, "TODAY", DAY))
        yield


def at_noon(monkeypatch: pytest.MonkeyPatch, day: date) -> None:
    """Let commands run at noon of a day."""
    now = datetime.combine(day, time(12), UTC)
    monkeypatch.setattr("provision.workflows.control.datetime", SimpleNamespace(now=now.astimezone))


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as made:
        yield made


@pytest.fixture
def shop(session: Session) -> Shop:
    seller = founded(session, siren_typed="732 829 320")
    supporter = founded(session, "Les Amis du Libre", "association")
    made = Shop(session, seller, supporter, newcomer(session, "Jeanne"))
    made.bring(PLANS)
    return made


@pytest.fixture
def taker(tmp_path: Path) -> Iterator[Taker]:
    """A mail server that takes letters."""
    with taking(tmp_path) as server:
        yield server


@pytest.fixture
def keeper(taker: Taker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keeper]:
    """The mailbox of the sender at the same server."""
    with keeping(taker.tls) as mailbox:
        monkeypatch.setattr(bounces, "IMAPS", mailbox.port)
        yield mailbox
