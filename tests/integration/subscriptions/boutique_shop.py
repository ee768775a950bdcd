"""What commands are tried on: a plan that a business sold to Jeanne, and billed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from provision import shipped
from provision.commands.sales.contract import contract
from provision.commands.sales.invoice import invoice
from provision.commands.sales.organisation import organisation
from provision.commands.sales.plan import plan
from provision.registry.models import Subscriber
from provision.subscriptions.offers import plans
from provision.subscriptions.parties import organisations
from provision.subscriptions.selling import opening
from provision.subscriptions.selling.opening import Sale
from tests.integration.subscriptions.commanding import ask, own_profile

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context

PARTS = ("--supporter-parts", "30", "--seller-parts", "70")
BUSINESS = ("--kind", "business", "--siren", "732829320")


def with_a_contract(context: Context, first: str) -> None:
    """Let a business sell the example's plans with an association from the day `first` on."""
    example = str(shipped.share("templates") / "plans.example.toml")
    ask(context, organisation, "add", "Boutique", *BUSINESS, "--yes")
    ask(context, organisation, "add", "Les Amis", "--kind", "association", "--yes")
    ask(context, plan, "import", example, "--yes")
    ask(context, contract, "add", "Boutique", "Les Amis", *PARTS, "--from", first, "--yes")


def sold_to_jeanne(context: Context, folder: Path) -> Context:
    """A registry in which Jeanne subscribed, all of it by commands but the order."""
    with_a_contract(context, "2026-01-01")
    moment = datetime(2026, 3, 31, tzinfo=UTC)
    with context.session() as session:
        jeanne = Subscriber(
            name="=cmd()", email="jeanne@exemple.test", language="fr", created_at=moment
        )
        session.add(jeanne)
        sale = Sale(
            plans.get(session, "famille"),
            organisations.get(session, "boutique"),
            organisations.get(session, "les amis"),
        )
        opening.open_subscription(session, jeanne, sale, today=moment.date())
    described = own_profile(folder)
    ask(context, organisation, "describe", "Boutique", described, "--from", "2026-01-01", "--yes")
    ask(context, invoice, "run", "--on", "2026-03-31", "--yes")
    return context
