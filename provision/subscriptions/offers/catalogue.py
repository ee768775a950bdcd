"""What is sold, by whom and how it is shared, read once for a whole run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.subscriptions.offers import plans, tariffs
from provision.subscriptions.offers.models import Plan, SplitContract
from provision.subscriptions.offers.planfile import BUNDLE
from provision.subscriptions.offers.sharing import Agreement, Rule
from provision.subscriptions.offers.terms import MONTHS
from provision.subscriptions.parties import profiles
from provision.subscriptions.parties.models import Organisation

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.offers.models import PlanComponent
    from provision.subscriptions.offers.terms import Term
    from provision.subscriptions.parties.profiles import Profile


@dataclass(frozen=True)
class Wanted:
    """What one version of a subscription asks of the price list."""

    plan_id: int
    period: str
    priced_on: date
    users: int
    gib: int
    means: str
    language: str


@dataclass(frozen=True)
class Item:
    """One line of a whole term: `units` in the plan's basis (with VAT or without)."""

    component: str
    role: str
    label: str
    quantity: int
    units: Cents


@dataclass
class Catalogue:
    """Plans, contracts and profiles of one registry; each is read when it is first needed."""

    session: Session
    asked: dict[tuple[object, ...], list[Asked]] = field(default_factory=dict)
    _plans: dict[int, Plan] = field(default_factory=dict)
    _items: dict[Wanted, tuple[Item, ...]] = field(default_factory=dict)
    _agreements: dict[int, Agreement] = field(default_factory=dict)
    _organisations: dict[int, Organisation] = field(default_factory=dict)
    _profiles: dict[tuple[int, date], Profile] = field(default_factory=dict)

    def plan(self, plan_id: int) -> Plan:
        """Return the plan of this number."""
        if plan_id not in self._plans:
            self._plans[plan_id] = self.session.get_one(Plan, plan_id)
        return self._plans[plan_id]

    def items(self, wanted: Wanted) -> tuple[Item, ...]:
        """Return the lines of a whole term; what costs nothing has none."""
        if wanted not in self._items:
            self._items[wanted] = tuple(self._priced(wanted))
        return self._items[wanted]

    def agreement(self, contract_id: int) -> Agreement:
        """Return the contract of this number with its rules by role."""
        if contract_id not in self._agreements:
            self._agreements[contract_id] = _agreement(
                self.session.get_one(SplitContract, contract_id)
            )
        return self._agreements[contract_id]

    def profile(self, organisation_id: int, day: date) -> Profile:
        """Return what the documents of an organisation say on `day`, or raise UsageRefused."""
        key = (organisation_id, day)
        if key not in self._profiles:
            organisation = self.organisation(organisation_id)
            self._profiles[key] = profiles.needed(self.session, organisation, day)
        return self._profiles[key]

    def organisation(self, organisation_id: int) -> Organisation:
        """Return the organisation of this number."""
        if organisation_id not in self._organisations:
            organisation = self.session.get_one(Organisation, organisation_id)
            self._organisations[organisation_id] = organisation
        return self._organisations[organisation_id]

    def _priced(self, wanted: Wanted) -> list[Item]:
        plan = self.plan(wanted.plan_id)
        prices = plans.prices_on(self.session, plan, wanted.priced_on, wanted.period)
        tariff = tariffs.Tariff.model_validate_json(plan.tariff)
        means = tariffs.Means.model_validate_json(wanted.means)
        points, chosen = tariffs.points(tariff, means), tariffs.chosen(tariff, means)
        items = []
        for component in plan.components:
            price = prices.get(component.code)
            quantity = _quantity(component, wanted)
            if price is None or not quantity:
                continue
            units = tariffs.part(price.units * quantity, points)
            if component.code == BUNDLE and chosen is not None:
                units = chosen * MONTHS[wanted.period]
            if units:
                label = _label(plan, component, wanted.language)
                items.append(Item(component.code, component.role, label, quantity, units))
        return sorted(items, key=lambda item: (item.component != BUNDLE, item.component))


def _quantity(component: PlanComponent, wanted: Wanted) -> int:
    counted = {"bundle": 1, "user": wanted.users, "gib": wanted.gib}[component.per]
    return max(counted - component.included, 0)


def _label(plan: Plan, component: PlanComponent, language: str) -> str:
    named = plan if component.code == BUNDLE else component
    return named.name_fr if language == "fr" else named.name_en


def _agreement(contract: SplitContract) -> Agreement:
    rules: dict[str, list[Rule]] = {}
    for share in contract.shares:
        rule = Rule(share.organisation_id, share.fund_id, share.parts)
        rules.setdefault(share.role, []).append(rule)
    if "" not in rules:
        raise UsageRefused(
            f"Contract {contract.id} does not say how every role is shared",
            "See: paquet contract list",
        )
    return Agreement(
        contract_id=contract.id,
        seller_id=contract.seller_id,
        supporter_id=contract.supporter_id,
        mode=contract.mode,
        rules={role: tuple(of_role) for role, of_role in rules.items()},
    )


@dataclass(frozen=True)
class Asked:
    """One line in the plan's basis: with VAT ("gross") or without ("net"). Below zero: back."""

    item: Item
    units: Cents
    days: Term
