"""Who may make whose invoices: self-billing, by a mandate that was given in writing before.

CGI, annexe II, article 242 nonies A; RES 2006/10: the mandate says how long a document may be
contested, the one in whose name it is made stays answerable for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import edges
from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.subscriptions.parties import profiles
from provision.subscriptions.settling.models import SelfBillingMandate

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.subscriptions.parties.models import Organisation

GIVEN, REVOKED = "given", "revoked"
LONGEST_CONTEST = 60  # days


@dataclass(frozen=True)
class MandateWording:
    """What a mandate says: by which office, from when, and how many days one may contest."""

    given_by: str
    valid_from: date
    contest_days: int = 30
    state: str = GIVEN


def record(
    session: Session,
    beneficiary: Organisation,
    seller: Organisation,
    wording: MandateWording,
    today: date,
) -> SelfBillingMandate:
    """Write that `seller` may make the invoices of `beneficiary` from a day on, or no longer."""
    sensible_day(wording.valid_from, "the first day of a mandate")
    if beneficiary.id == seller.id:
        raise UsageRefused(f"{seller.name} needs no mandate for its own invoices")
    if not 1 <= wording.contest_days <= LONGEST_CONTEST:
        raise UsageRefused(
            f"{wording.contest_days} days are no delay to contest an invoice",
            f"Give 1 to {LONGEST_CONTEST} days.",
        )
    key = (beneficiary.id, seller.id, wording.valid_from)
    if session.get(SelfBillingMandate, key) is not None:
        raise UsageRefused(
            f"There is a mandate from {wording.valid_from} already",
            "A mandate is never rewritten: give the new one its own first day.",
        )
    mandate = SelfBillingMandate(
        beneficiary_id=beneficiary.id,
        seller_id=seller.id,
        valid_from=wording.valid_from,
        state=wording.state,
        contest_days=wording.contest_days,
        given_by=edges.person_name(wording.given_by, "office that gives the mandate"),
        recorded_on=today,
    )
    session.add(mandate)
    session.flush()
    return mandate


def ruling(
    session: Session, beneficiary_id: int, seller_id: int, day: date
) -> SelfBillingMandate | None:
    """Return the mandate of `day`, written by then; the beneficiary's profile says so too."""
    mandate = session.scalar(
        select(SelfBillingMandate)
        .where(
            SelfBillingMandate.beneficiary_id == beneficiary_id,
            SelfBillingMandate.seller_id == seller_id,
            SelfBillingMandate.valid_from <= day,
            SelfBillingMandate.recorded_on <= day,
        )
        .order_by(SelfBillingMandate.valid_from.desc())
        .limit(1)
    )
    profile = profiles.on(session, beneficiary_id, day)
    if (
        mandate is None
        or mandate.state == REVOKED
        or profile is None
        or not profile.self_billing_since
    ):
        return None
    return mandate if date.fromisoformat(profile.self_billing_since) <= day else None


def everyone(session: Session) -> list[SelfBillingMandate]:
    """Return all mandates, the latest first."""
    newest_first = SelfBillingMandate.valid_from.desc()
    return list(session.scalars(select(SelfBillingMandate).order_by(newest_first)))
