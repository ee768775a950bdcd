"""What was paid as portions and incomes, and what organisations paid each other."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, select

from provision.days import ONE_DAY
from provision.money import EUR
from provision.subscriptions.documents.models import Settlement, SettlementStep
from provision.subscriptions.documents.receipt_models import (
    MEMBERSHIP,
    NUMBER,
    Receipt,
    ReceiptCancellation,
)
from provision.subscriptions.ledger import chart
from provision.subscriptions.ledger.models import LedgerPosting, LedgerTransaction
from provision.subscriptions.parties import people
from provision.subscriptions.reports.coverage import LONGEST_TERM
from provision.subscriptions.reports.facts import Cost, Income, Portion
from provision.subscriptions.reports.months import between, month_of
from provision.subscriptions.settling.steps import SETTLED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.orm import Session

    from provision.languages import Language
    from provision.money import Cents
    from provision.subscriptions.offers.models import Fund
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.reports.facts import BeneficiaryKind
    from provision.subscriptions.reports.gather_scope import Scope
    from provision.subscriptions.reports.gather_shares import PaidShare

TAX_ROLE = "tax"
TAX: dict[Language, str] = {"fr": "TVA", "en": "VAT"}
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
    paid: Mapping[PaidShare, int],
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


def incomes(
    paid: Mapping[PaidShare, int], parties: Mapping[int, Organisation]
) -> tuple[Income, ...]:
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


class _Passed(NamedTuple):
    """What one organisation paid another: for its part of sales, or as a gift."""

    day: date
    payer_id: int
    payee_id: int
    cents: Cents
    label: str
    gift: bool


def passed(
    session: Session, scope: Scope, since: date, parties: Mapping[int, Organisation]
) -> tuple[tuple[Income, ...], tuple[Cost, ...]]:
    """Return what organisations paid each other: incomes of the one, costs of the other.

    A settlement counts without VAT on the day on which it was settled; what a seller keeps in its
    own funds is paid to nobody.
    """
    every = sorted([*_settled(session, scope, since), *_gifts(session, scope, since)])
    came = tuple(
        Income(
            day=payment.day,
            organisation=parties[payment.payee_id].name,
            kind="gift" if payment.gift else "sale",
            recurring=not payment.gift,
            cents_received=payment.cents,
            territory=parties[payment.payee_id].territory,
            between=True,
        )
        for payment in every
    )
    went = tuple(
        Cost(
            day=payment.day,
            organisation=parties[payment.payer_id].name,
            label=payment.label,
            kind="other" if payment.gift else "service",
            cents=payment.cents,
            incompressible=False,
            between=True,
        )
        for payment in every
    )
    return came, went


def received(
    session: Session, scope: Scope, since: date, parties: Mapping[int, Organisation]
) -> tuple[Income, ...]:
    """Return fees and donations by their receipts; a gift of an organisation is `passed`.

    A fee is for as many months as its membership has. One that was cancelled by then is left out.
    """
    gone = ReceiptCancellation
    same = and_(*(getattr(gone, name) == getattr(Receipt, name) for name in NUMBER))
    rows = session.scalars(
        select(Receipt)
        .outerjoin(gone, same & (gone.cancelled_on <= scope.until))
        .where(
            Receipt.received_on.between(since, scope.until),
            Receipt.party.not_like(f"{people.ORGANISATION}%"),
            gone.number.is_(None),
        )
        .order_by(Receipt.received_on, Receipt.organisation_id, Receipt.series, Receipt.number)
    )
    return tuple(
        Income(
            day=row.received_on,
            organisation=parties[row.organisation_id].name,
            kind="dues" if row.kind == MEMBERSHIP else "gift",
            recurring=row.kind == MEMBERSHIP,
            cents_received=row.units,
            territory=parties[row.organisation_id].territory,
            months=_span(row.first_day, row.last_day),
        )
        for row in rows
    )


def _settled(session: Session, scope: Scope, since: date) -> Iterator[_Passed]:
    key = ("seller_id", "beneficiary_id", "number")
    same = and_(*(getattr(SettlementStep, name) == getattr(Settlement, name) for name in key))
    day = SettlementStep.reached_on
    rows = session.execute(
        select(
            day,
            Settlement.seller_id,
            Settlement.beneficiary_id,
            Settlement.units,
            Settlement.number,
        )
        .join(SettlementStep, same)
        .where(
            SettlementStep.state == SETTLED,
            day.between(since, scope.until),
            Settlement.seller_id != Settlement.beneficiary_id,
            Settlement.units != 0,
        )
    )
    for reached_on, seller_id, beneficiary_id, units, number in rows:
        label = f"{seller_id}-{beneficiary_id}-{number}"
        yield _Passed(reached_on, seller_id, beneficiary_id, units, label, gift=False)


def _gifts(session: Session, scope: Scope, since: date) -> Iterator[_Passed]:
    line, entry = LedgerPosting, LedgerTransaction
    rows = session.execute(
        select(entry.effective_on, line.party, line.organisation_id, line.units, entry.text)
        .join(
            entry,
            and_(entry.organisation_id == line.organisation_id, entry.number == line.number),
        )
        .where(
            line.account == chart.GIFTS_RECEIVED,
            line.commodity == EUR.code,
            entry.effective_on.between(since, scope.until),
        )
    )
    for day, party, payee_id, units, label in rows:
        payer_id = people.organisation_of(party)
        if payer_id is not None:
            yield _Passed(day, payer_id, payee_id, -units, label, gift=True)


def _of_organisation(month: date, role: str, organisation: Organisation) -> _Got:
    own: BeneficiaryKind = "association" if organisation.kind == "association" else "business"
    return _Got(month, KIND_OF_ROLE.get(role, own), organisation.name, role, organisation.territory)


def _first_day(share: PaidShare) -> date:
    return date.fromisoformat(f"{share.month}-01")


def _months(share: PaidShare) -> int:
    """Return for how many months the days of a line are: 1 for a part of one."""
    return _span(share.starts_on, share.ends_on)


def _span(first: date | None, last: date | None) -> int:
    if first is None or last is None:
        return 1
    count = between(month_of(first), month_of(last + ONE_DAY))
    return min(max(count, 1), LONGEST_TERM)
