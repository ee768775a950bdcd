"""Whether each seller under two contracts invoiced its own part of what was sold, to the cent.

Their lines do not say what the whole was; together they do. Every line says what its contract had
dealt by then, so the same split can be made again. Documents of later changes are left out: one
seller may give back an odd cent for the other there (see `adjusting`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from provision import money
from provision.subscriptions.documents.drafts import ROUNDED
from provision.subscriptions.documents.models import Invoice, InvoiceLine, same_document
from provision.subscriptions.ledger.invariants import Discrepancy
from provision.subscriptions.offers import contracts, sharing
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.offers.models import Plan, SplitContract
from provision.subscriptions.offers.vat import GROSS, ROUNDING
from provision.subscriptions.selling.models import SubscriptionVersion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, TypeAlias

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.offers.sharing import Agreement

    Parts: TypeAlias = dict[int, tuple[Cents, Cents]]  # net and gross by who invoiced them

REGULAR = ("subscription:", "turnover:")  # what the keys of a run's documents begin with


def broken_splits(session: Session) -> Iterator[Discrepancy]:
    """Split again what both invoiced of each thing sold, and compare."""
    bases = _bases(session)
    if not bases:
        return  # most registries have no such contract: their lines are not read for it
    catalogue = Catalogue(session)
    sold: dict[tuple[Any, ...], Parts] = defaultdict(dict)
    rounded = {tuple(place): units for *place, units in session.execute(_rounded())}
    for key, subscription_id, *line, issuer, net, vat in session.execute(_lines()):
        *_terms, component, starts_on = line
        beside = rounded.get((key, issuer, f"{component}{ROUNDED}", starts_on), 0)
        sold[key, subscription_id, *line][issuer] = (net, net + vat + beside)
    for (key, subscription_id, contract_id, role, carried, *_which), parts in sold.items():
        agreement = catalogue.agreement(contract_id)
        wanted = bases.get((subscription_id, contract_id), ())
        if not any(_is_split(agreement, role, carried, _units(parts, basis)) for basis in wanted):
            yield Discrepancy(
                f"documents {key}",
                "what each of two sellers invoiced is not what their contract gives",
            )


def _is_split(agreement: Agreement, role: str, carried: int, units: Mapping[int, Cents]) -> bool:
    """Say whether the contract gives each issuer these units, where it had dealt `carried`."""
    _name, rules = agreement.for_role(role)
    whole = sum(units.values())
    parts = money.split(whole, [rule.parts for rule in rules], carried - whole).parts
    shares = tuple(zip(rules, parts, strict=True))
    return all(
        sharing.part_of(issuer, shares) == units.get(issuer, 0)
        for issuer in (agreement.seller_id, agreement.supporter_id)
    )


def _units(parts: Parts, basis: str) -> dict[int, Cents]:
    return {issuer: units[basis == GROSS] for issuer, units in parts.items()}


def _bases(session: Session) -> dict[tuple[int, int], tuple[str, ...]]:
    """Return how prices held the VAT, by subscription and contract: a new plan may change it."""
    version = SubscriptionVersion
    rows = session.execute(
        select(version.subscription_id, version.contract_id, Plan.basis)
        .join(Plan, Plan.id == version.plan_id)
        .join(SplitContract, SplitContract.id == version.contract_id)
        .where(SplitContract.mode == contracts.TWO_CONTRACTS)
        .distinct()
    )
    bases: dict[tuple[int, int], tuple[str, ...]] = {}
    for subscription_id, contract_id, basis in rows:
        place = (subscription_id, contract_id)
        bases[place] = (*bases.get(place, ()), basis)
    return bases


def _lines() -> Select[*tuple[Any, ...]]:
    document, line = Invoice, InvoiceLine
    same = same_document(line, document)
    return (
        select(
            document.key,
            document.subscription_id,
            line.contract_id,
            line.role,
            line.carried,
            line.component,
            line.starts_on,
            document.organisation_id,
            line.net,
            line.vat,
        )
        .join(line, same)
        .join(SplitContract, SplitContract.id == line.contract_id)
        .where(
            SplitContract.mode == contracts.TWO_CONTRACTS,
            or_(*(document.key.startswith(prefix) for prefix in REGULAR)),
        )
    )


def _rounded() -> Select[*tuple[Any, ...]]:
    """Select what was taken from the VAT of a line, by its document and its days."""
    document, line = Invoice, InvoiceLine
    return (
        select(document.key, document.organisation_id, line.component, line.starts_on, line.net)
        .join(line, same_document(line, document))
        .where(line.vat_category == ROUNDING.category)
    )
