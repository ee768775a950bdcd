"""What was paid as portions and incomes, and what organisations paid each other."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, select

from provision.subscriptions.invoice_models import Settlement, SettlementStep
from provision.subscriptions.reports.coverage import LONGEST_TERM
from provision.subscriptions.reports.facts import Cost, Income, Portion
from provision.subscriptions.reports.months import between, month_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from provision.subscriptions.models import Fund, Organisation
    from provision.subscriptions.reports.facts import BeneficiaryKind
    from provision.subscriptions.reports.gather_scope import Language, Scope
    from provision.subscriptions.reports.gather_shares import Share

TAX_ROLE = "tax"
TAX: dict[Language, str] = {"fr": "TVA", "en": "VAT"}
SETTLED = "settled"
ONE_DAY = timedelta(days=1)
# Roles of lines whose money goes to machines, or to those who write what runs on them. All other
# roles pay for work, and count for the organisation that does it.
KIND_OF_ROLE: dict[str, BeneficiaryKind] = {
    "hosting": "infrastructure",
    "infrastructure": "infrastructure",
    "upstream": "upstream",
}


class _Got(NamedTuple):
    """What a portion is added up by: a portion without its cents."""

    month: date
    kind: BeneficiaryKind
    beneficiary: str
    role: str
    territory: str


def portions(
    paid: Mapping[Share, int],
    parties: Mapping[int, Organisation],
    funds: Mapping[int, Fund],
    language: Language,
) -> tuple[Portion, ...]:
    """Return who got what of the payments, by month; they add up to them.

    A fund counts as such, in the role of its kind; else the role of the line decides
    (KIND_OF_ROLE), else the kind of the organisation. The VAT is nobody's.
    """
    sums: Counter[_Got] = Counter()
    for share, cents in paid.items():
        month = _first_day(share)
        if share.beneficiary_id is None:
            got = _Got(month, "tax", TAX[language], TAX_ROLE, "")
        elif share.fund_id is not None:
            fund = funds[share.fund_id]
            got = _Got(month, "fund", fund.name, fund.kind, parties[fund.custodian_id].territory)
        else:
            got = _of_organisation(month, share.role, parties[share.beneficiary_id])
        sums[got] += cents
    return tuple(Portion(*got, cents) for got, cents in sorted(sums.items()) if cents)


def incomes(paid: Mapping[Share, int], parties: Mapping[int, Organisation]) -> tuple[Income, ...]:
    """Return what the issuers of documents received, by month, without VAT.

    Their day is the first of the month; they are for as many months as the line's days are.
    """
    sums: Counter[tuple[date, int, bool, int]] = Counter()
    for share, cents in paid.items():
        if share.beneficiary_id is not None:
            sums[_first_day(share), share.issuer_id, share.recurring, _months(share)] += cents
    return tuple(
        Income(
            day=day,
            organisation=parties[issuer_id].name,
            kind="sale",
            recurring=recurring,
            cents_received=cents,
            territory=parties[issuer_id].territory,
            months=months,
        )
        for (day, issuer_id, recurring, months), cents in sorted(sums.items())
        if cents
    )


def settled(
    session: Session, scope: Scope, since: date, parties: Mapping[int, Organisation]
) -> tuple[tuple[Income, ...], tuple[Cost, ...]]:
    """Return what sellers paid those who share in their sales: incomes of these, costs of those.

    A settlement counts without VAT on the day on which it was settled; what a seller keeps in its
    own funds is paid to nobody.
    """
    steps = and_(
        *(
            getattr(SettlementStep, name) == getattr(Settlement, name)
            for name in ("seller_id", "beneficiary_id", "number")
        )
    )
    one = Settlement
    rows = session.execute(
        select(SettlementStep.reached_on, one.seller_id, one.beneficiary_id, one.number, one.units)
        .join(SettlementStep, steps)
        .where(
            SettlementStep.state == SETTLED,
            SettlementStep.reached_on.between(since, scope.until),
            one.seller_id != one.beneficiary_id,
            one.units != 0,
        )
        .order_by(SettlementStep.reached_on, one.seller_id, one.beneficiary_id, one.number)
    ).all()
    came = tuple(
        Income(
            day=day,
            organisation=parties[beneficiary_id].name,
            kind="sale",
            recurring=True,
            cents_received=cents,
            territory=parties[beneficiary_id].territory,
            between=True,
        )
        for day, _seller_id, beneficiary_id, _number, cents in rows
    )
    went = tuple(
        Cost(
            day=day,
            organisation=parties[seller_id].name,
            label=f"{seller_id}-{beneficiary_id}-{number}",
            kind="service",
            cents=cents,
            incompressible=False,
            between=True,
        )
        for day, seller_id, beneficiary_id, number, cents in rows
    )
    return came, went


def _of_organisation(month: date, role: str, one: Organisation) -> _Got:
    own: BeneficiaryKind = "association" if one.kind == "association" else "business"
    return _Got(month, KIND_OF_ROLE.get(role, own), one.name, role, one.territory)


def _first_day(share: Share) -> date:
    return date.fromisoformat(f"{share.month}-01")


def _months(share: Share) -> int:
    """Return for how many months the days of a line are: 1 for a part of one."""
    if share.starts_on is None or share.ends_on is None:
        return 1
    count = between(month_of(share.starts_on), month_of(share.ends_on + ONE_DAY))
    return min(max(count, 1), LONGEST_TERM)
