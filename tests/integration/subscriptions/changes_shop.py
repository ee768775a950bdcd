"""A subscription in every mode, billed in the open unit of work of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.subscriptions.documents.drafts import INVOICE
from provision.subscriptions.documents.models import Invoice, InvoiceLine, same_document
from provision.subscriptions.offers import plans

if TYPE_CHECKING:
    from provision.subscriptions.offers.models import Plan
    from provision.subscriptions.selling.models import Subscription
    from tests.integration.subscriptions.conftest import Shop

PLANS = """
[[plan]]
code = "team"
name = { fr = "Équipe", en = "Team" }
users = 2
quota_gib = 10
tier = [{ code = "solidaire", name = { fr = "Solidaire", en = "Solidarity" }, basis_points = 5000 }]
[[plan.component]]
code = "user"
name = { fr = "Personne en plus", en = "One more person" }
per = "user"
included = 2
role = "support"
[[plan.component]]
code = "room"
name = { fr = "Gio en plus", en = "One more GiB" }
per = "gib"
included = 10
[[plan.price]]
from = 2026-01-01
monthly = "12.34"
yearly = "130.01"
[[plan.price]]
from = 2026-03-01
monthly = "15.00"
yearly = "150.00"
[[plan.price]]
component = "user"
from = 2026-01-01
monthly = "1.99"
yearly = "20.03"
[[plan.price]]
component = "room"
from = 2026-01-01
monthly = "0.07"
yearly = "0.71"

[[plan]]
code = "net"
name = { fr = "Pro", en = "Pro" }
users = 1
quota_gib = 10
vat = "excluded"
[[plan.price]]
from = 2026-01-01
monthly = "7.77"
yearly = "80.00"
"""


def bring_plans(shop: Shop) -> dict[str, Plan]:
    """Bring the plans of these tests in, and return all by code."""
    shop.bring(PLANS)
    return {plan.code: plan for plan in plans.everyone(shop.session)}


def charged_in_all(shop: Shop, one: Subscription) -> int:
    """What was charged in all, less credit notes, with VAT."""
    return sum(gross if kind == INVOICE else -gross for kind, gross in documents(shop, one))


def documents(shop: Shop, one: Subscription) -> list[tuple[str, int]]:
    """The documents of a subscription in order: kind, and gross cents."""
    rows = shop.session.scalars(
        select(Invoice)
        .where(Invoice.subscription_id == one.id)
        .order_by(Invoice.organisation_id, Invoice.entry_number)
    )
    return [(row.kind, row.gross) for row in rows]


def lines(shop: Shop, kind: str) -> list[tuple[str, str | None, str | None, int]]:
    """The lines of all documents of a kind: component, first and last day, net cents."""
    found = shop.session.execute(
        select(InvoiceLine.component, InvoiceLine.starts_on, InvoiceLine.ends_on, InvoiceLine.net)
        .join(Invoice, same_document(Invoice, InvoiceLine))
        .where(Invoice.kind == kind)
        .order_by(Invoice.entry_number, InvoiceLine.line)
    )
    return [
        (component, starts.isoformat() if starts else None, ends.isoformat() if ends else None, net)
        for component, starts, ends, net in found
    ]


def count(shop: Shop) -> int:
    """How many documents there are."""
    return shop.session.scalar(select(func.count()).select_from(Invoice)) or 0
