"""An invented cooperation of the Trièves, small enough to be checked by hand."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from provision.subscriptions.reports.facts import (
    CashAtHand,
    Cost,
    Facts,
    Given,
    Income,
    Life,
    Open,
    Pledge,
    Portion,
    Rate,
    Reciprocity,
    ReportParty,
)
from provision.subscriptions.reports.months import shift, year_until

GOLDEN = Path(__file__).parents[3] / "golden" / "money" / "reports"
UNTIL = date(2026, 10, 31)
MONTHS = year_until(UNTIL)
ASSOCIATION, BUSINESS = "Les Communs du Trièves", "Atelier Numérique SCOP"


def life(number: int, first_day: date, last_day: date | None = None, **changes: str) -> Life:
    told = {
        "subscriber_reference": f"person-{number:02}",
        "seller": BUSINESS,
        "supporter": ASSOCIATION,
        "territory": "Trièves",
        "plan": "solo",
        "tier": "plein tarif",
    }
    return Life(subscription=number, first_day=first_day, last_day=last_day, **(told | changes))


def rate(number: int, from_day: date, cents: int, months: int = 1) -> Rate:
    return Rate(number, from_day, cents, months)


def income(day: date, cents: int, **changes: object) -> Income:
    told: dict[str, object] = {
        "organisation": BUSINESS,
        "kind": "sale",
        "recurring": True,
        "territory": "Trièves",
    }
    return Income(day=day, cents_received=cents, **(told | changes))  # type: ignore[arg-type]


def cost(day: date, cents: int, **changes: object) -> Cost:
    told: dict[str, object] = {
        "organisation": BUSINESS,
        "label": "serveurs",
        "kind": "infrastructure",
        "incompressible": True,
    }
    return Cost(day=day, cents=cents, **(told | changes))  # type: ignore[arg-type]


def example() -> Facts:
    """Twelve months in which 30 subscribers come, four leave, one comes back."""
    lives, rates = _subscriptions()
    portions = _portions()
    return Facts(
        title="Le Paquet du Trièves",
        until=UNTIL,
        paid_cents=sum(portion.cents for portion in portions),
        parties=(ReportParty(ASSOCIATION, "association"), ReportParty(BUSINESS, "business")),
        lives=lives,
        rates=rates,
        portions=portions,
        incomes=_incomes(),
        costs=tuple(
            found
            for month in MONTHS
            for found in (
                cost(month, 170_000),
                cost(month, 80_000, label="services", kind="service"),
            )
        ),
        open_invoices=_open_invoices(),
        given=(
            Given(date(2026, 3, 4), "person-71", ASSOCIATION, 36 * 3600, commons=True),
            Given(date(2026, 5, 9), "person-72", ASSOCIATION, 61 * 3600 + 1800, commons=False),
            Given(date(2026, 6, 1), "person-71", BUSINESS, 8 * 3600, commons=True),
            Given(date(2026, 6, 2), "person-73", BUSINESS, 40 * 3600, commons=False),
        ),
        reciprocities=(
            Reciprocity(BUSINESS, "Nextcloud", 100, 2_400_000, 24_000, 24_000, "2026"),
            Reciprocity("Le Bocal", ASSOCIATION, 500, 600_000, 30_000, 12_500, "2026"),
        ),
        pledges=(
            Pledge("Appel à communs 2026", 1_200_000, 1_200_000),
            Pledge("Cofinancement participatif", 1_000_000, 640_000),
        ),
        cash=(CashAtHand(BUSINESS, 1_850_000, UNTIL), CashAtHand(ASSOCIATION, 420_000, UNTIL)),
    )


def _subscriptions() -> tuple[tuple[Life, ...], tuple[Rate, ...]]:
    lives, rates = [], []
    places = ("Trièves", "Vercors", "Saint-Étienne")
    tiers = (("solidaire", 4_000), ("plein tarif", 9_000), ("soutien", 14_000))
    for number in range(1, 31):
        first = shift(MONTHS[0], number // 3 - 3).replace(day=1 + number % 27)
        last = date(2026, 6, 15) if number % 8 == 0 else None
        tier, cents = tiers[number % 3]
        lives.append(life(number, first, last, territory=places[number % 2], tier=tier))
        rates.append(
            rate(number, first, cents if number % 5 else cents * 11, 1 if number % 5 else 12)
        )
    rates.append(rate(7, date(2026, 4, 1), 12_000))
    rates.append(rate(11, date(2026, 7, 1), 4_000))
    lives.append(life(31, date(2026, 9, 1), subscriber_reference="person-08", territory=places[2]))
    rates.append(rate(31, date(2026, 9, 1), 9_000))
    return tuple(lives), tuple(rates)


def _portions() -> tuple[Portion, ...]:
    told = (
        ("business", BUSINESS, "sale", "Trièves", 61_234),
        ("business", BUSINESS, "follow-up", "Trièves", 48_817),
        ("association", ASSOCIATION, "support", "Trièves", 39_003),
        ("association", ASSOCIATION, "coordination", "Trièves", 31_250),
        ("fund", "Caisse solidaire", "solidarity", "Vercors", 9_999),
        ("infrastructure", "Hébergeur de l’Isère", "hosting", "Grenoble", 22_500),
        ("upstream", "Nextcloud", "maintenance", "", 2_000),
        ("tax", "TVA", "tax", "", 42_961),
    )
    return tuple(
        Portion(month, kind, who, role, territory, cents + place)  # type: ignore[arg-type]
        for place, month in enumerate(MONTHS)
        for kind, who, role, territory, cents in told
    )


def _incomes() -> tuple[Income, ...]:
    found = [income(month, 165_000 + 9_500 * place) for place, month in enumerate(MONTHS)]
    found += [income(date(2026, 1, 15), 396_000, months=12)]
    found += [income(date(2026, 2, 2), 90_000, organisation=ASSOCIATION, kind="dues")]
    found += [
        income(date(2026, 4, 20), 600_000, organisation=ASSOCIATION, kind="grant", recurring=False)
    ]
    found += [
        income(date(2026, 5, 2), 45_000, organisation=ASSOCIATION, kind="gift", recurring=False)
    ]
    found += [
        income(month, 540_000, organisation=ASSOCIATION, between=True) for month in MONTHS[-8:]
    ]
    found += [income(MONTHS[-8], 2_270_000, organisation=ASSOCIATION, between=True)]
    return tuple(found)


def _open_invoices() -> tuple[Open, ...]:
    due = ((10, "F-112"), (-20, "F-104"), (-45, "F-099"), (-75, "F-081"), (-130, "F-044"))
    kinds = ((False, False), (False, False), (True, False), (True, False), (False, True))
    return tuple(
        Open(
            invoice,
            f"person-{place:02}",
            date.fromordinal(UNTIL.toordinal() + days - 30),
            date.fromordinal(UNTIL.toordinal() + days),
            9_000 * place,
            non_profit,
            place,
            fraud,
        )
        for place, ((days, invoice), (non_profit, fraud)) in enumerate(
            zip(due, kinds, strict=True), start=1
        )
    )


def assert_golden(name: str, text: str) -> None:
    """Compare with the golden file; PAQUET_GOLDEN=write writes it, and still fails once."""
    path = GOLDEN / name
    if os.environ.get("PAQUET_GOLDEN") == "write" and (
        not path.exists() or path.read_text(encoding="utf-8") != text
    ):
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path} was written: read the difference, then run again without it")
    assert path.exists(), f"{path} is missing: write it with PAQUET_GOLDEN=write"
    assert text == path.read_text(encoding="utf-8")
