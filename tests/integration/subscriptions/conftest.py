from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from provision.registry.models import Subscriber
from provision.subscriptions.documents import describing
from provision.subscriptions.offers import contracts, planfile, plans
from provision.subscriptions.parties import organisations
from provision.subscriptions.parties.profiles import Address, Profile
from provision.subscriptions.selling import billing, opening
from provision.subscriptions.selling.opening import Sale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.subscriptions.offers.models import Plan
    from provision.subscriptions.parties.models import Organisation

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


def profile(name: str, vat: str = "association_accessory", **changes: object) -> Profile:
    """What the documents of an organisation say in these tests."""
    words: dict[str, object] = {
        "name": name,
        "legal": f"{name}, Caen",
        "address": Address(lines=("1 rue du Port",), postcode="14000", city="Caen"),
        "email": "bonjour@exemple.test",
        "vat": vat,
    }
    return Profile.model_validate({**words, **changes}, strict=False)


@dataclass
class Shop:
    """A business, an association, one plan, one subscriber, all in an open unit of work."""

    session: Session
    seller: Organisation
    supporter: Organisation
    plan: Plan
    jeanne: Subscriber

    def sale(self, **changes: object) -> Sale:
        return Sale(**{**vars(Sale(self.plan, self.seller, self.supporter)), **changes})

    def contract(self, mode: str = "resale", supporter: int = 30, seller: int = 70) -> None:
        shares = contracts.two(self.seller, self.supporter, (seller, supporter))
        contracts.add(self.session, self.seller, self.supporter, shares, terms=(mode, START))

    def sell_odd(self, day: date) -> None:
        """Be liable for VAT, and bill what no base reaches: 3.33 € with VAT inside."""
        liable = profile("Boutique Libre", "liable", vat_id="FR44732829320")
        describing.describe(self.session, self.seller, liable, date(2026, 2, 1))
        odd = PLANS.replace("famille", "impair").replace('"10.00"', '"3.33"')
        plans.bring_in(self.session, planfile.parse(odd))
        sale = self.sale(plan=plans.get(self.session, "impair"))
        opening.open_subscription(self.session, self.jeanne, sale, today=day)
        self.bill(day)

    def bill(self, day: date) -> billing.BillingOutcome:
        """Commit, and bill all that is due by `day`."""
        self.session.commit()
        engine = self.session.get_bind()
        assert isinstance(engine, Engine)
        return billing.bill(engine, day)


@pytest.fixture(scope="module", autouse=True)
def noon(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test reads the clock of the day: it is noon of what its file calls TODAY, or of DAY."""
    now = datetime.combine(getattr(request.module, "TODAY", DAY), time(12), UTC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("provision.workflows.control.datetime", SimpleNamespace(now=now.astimezone))
        yield


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as made:
        yield made


@pytest.fixture
def shop(session: Session) -> Shop:
    seller = organisations.add(session, "Boutique Libre", "business", siren_typed="732 829 320")
    supporter = organisations.add(session, "Les Amis du Libre", "association")
    for one in (seller, supporter):
        describing.describe(session, one, profile(one.name), START)
    plans.bring_in(session, planfile.parse(PLANS))
    jeanne = Subscriber(
        name="Jeanne",
        email="jeanne@exemple.test",
        language="fr",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    session.add(jeanne)
    session.flush()
    return Shop(session, seller, supporter, plans.get(session, "famille"), jeanne)
