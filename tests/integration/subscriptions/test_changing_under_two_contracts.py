"""Each of two sellers gives back, and charges again, what stands on documents of its own."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision.registry.states import Told
from provision.subscriptions.books import verify
from provision.subscriptions.documents import allocating, describing
from provision.subscriptions.documents.models import Invoice, InvoiceLine, same_document
from provision.subscriptions.selling import cancelling, changes, credit_notes
from provision.subscriptions.selling.cancelling import Cancellation
from provision.subscriptions.selling.changes import Change
from provision.subscriptions.selling.credit_notes import What
from tests.integration.subscriptions.changes_shop import bring_plans, charged_in_all
from tests.integration.subscriptions.conftest import profile

if TYPE_CHECKING:
    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.selling.models import Subscription
    from tests.integration.subscriptions.conftest import Shop

FIRST = date(2026, 1, 31)
TODAY = date(2026, 6, 1)
LAST = date(2026, 6, 28)
TOLD = Told("anne", datetime(2026, 6, 1, tzinfo=UTC))
END = "2027-01-30"


@pytest.fixture
def one(shop: Shop) -> Subscription:
    """A year for five: 130.01 and 60.09, of which 133.07 go to the seller (VAT inside) of 70 %.

    57.03 go to the association of 30 %.
    """
    shop.contract("two_contracts")
    describing.describe(shop.session, shop.seller, profile("B", "liable"), date(2026, 1, 2))
    team = bring_plans(shop)["team"]
    sold = shop.subscribe(shop.jeanne, FIRST, plan=team, period="yearly", users=5)
    shop.issue(sold, FIRST, TODAY)
    return sold


def first_of(shop: Shop, organisation: Organisation) -> Number:
    first = select(Invoice).where(Invoice.organisation_id == organisation.id)
    invoice = shop.session.scalars(first.order_by(Invoice.entry_number)).first()
    assert invoice is not None
    return allocating.number_of(invoice)


def credit(shop: Shop, organisation: Organisation, units: int | None = None) -> None:
    number = first_of(shop, organisation)
    credit_notes.credit(shop.session, number, What(units=units), "panne", TODAY)


def cancel(shop: Shop, one: Subscription) -> None:
    asked = Cancellation(LAST, "départ", TODAY, refund=True)
    cancelling.cancel(shop.session, one, asked, on=TODAY, told=TOLD)


def keep(shop: Shop, one: Subscription) -> None:
    cancelling.keep(shop.session, one, on=TODAY, told=TOLD)


def papers(shop: Shop, organisation: Organisation) -> list[tuple[str, int, list[str]]]:
    """The documents after the first: kind, gross cents, and of which days in which component."""
    documents = shop.session.scalars(
        select(Invoice)
        .where(Invoice.organisation_id == organisation.id)
        .order_by(Invoice.entry_number)
    ).all()
    return [(document.kind, document.gross, said(shop, document)) for document in documents[1:]]


def said(shop: Shop, document: Invoice) -> list[str]:
    lines = shop.session.scalars(
        select(InvoiceLine).where(same_document(InvoiceLine, document)).order_by(InvoiceLine.line)
    )
    return [
        f"{line.component} {line.starts_on}..{line.ends_on} {line.net + line.vat}" for line in lines
    ]


def test_who_took_its_invoice_back_leaves_the_refund_of_the_days_to_the_other(
    shop: Shop, one: Subscription
) -> None:
    """216 of 365 days are not served: 76.94 of 130.01 and 35.56 of 60.09, as the year rounds.

    The association gives back its 30 %, 33.75; the seller has nothing left to give back. Who stays
    pays these 33.75 again, and not what the seller took back for another reason. From 14 May on,
    262 days, the association's 40.93 become 17.22, its 30 % of the 57.42 of the new plan; the
    seller, who charges nothing of these days, charges its 70 %, 40.20, and 8.04 of VAT.
    """
    credit(shop, shop.seller)
    cancel(shop, one)
    refunded = [f"bundle 2026-06-29..{END} 2308", f"user 2026-06-29..{END} 1067"]
    assert papers(shop, shop.supporter) == [("credit", 3375, refunded)]
    keep(shop, one)
    assert papers(shop, shop.supporter)[1:] == [("invoice", 3375, refunded)]
    assert charged_in_all(shop, one) == 5703
    changes.change(
        shop.session, one, Change(plan=bring_plans(shop)["net"]), date(2026, 5, 14), today=TODAY
    )
    days = f"2026-05-14..{END}"
    assert papers(shop, shop.supporter)[2:] == [
        ("credit", 3375, [f"bundle {days} 2799", f"user {days} 576"]),
        ("credit", 718, ["user None..None 718"]),
        ("invoice", 1722, [f"bundle {days} 1722"]),
    ]
    assert papers(shop, shop.seller)[1:] == [("invoice", 4824, [f"bundle {days} 4824"])]
    assert verify.verify(shop.session) == []


def test_what_one_credited_by_hand_is_not_given_back_by_the_other(
    shop: Shop, one: Subscription
) -> None:
    """Of 133.07 the seller has 0.07 left of the 78.75 that it owes for the days beyond.

    The days that nothing was given back for stand on its invoice as before, and who stays pays
    again what was given back, not what the days would cost.
    """
    credit(shop, shop.seller, 13300)
    cancel(shop, one)
    refunded = [f"user 2026-06-29..{END} 7"]
    assert papers(shop, shop.seller)[1:] == [("credit", 7, refunded)]
    assert [gross for _kind, gross, _lines in papers(shop, shop.supporter)] == [3375]
    keep(shop, one)
    assert papers(shop, shop.seller)[2:] == [("invoice", 7, refunded)]
    assert [gross for _kind, gross, _lines in papers(shop, shop.supporter)] == [3375, 3375]
    assert verify.verify(shop.session) == []


def test_a_change_does_not_charge_days_twice_of_which_nothing_was_left_to_give_back(
    shop: Shop, one: Subscription
) -> None:
    credit(shop, shop.supporter, 5703)
    changes.change(
        shop.session, one, Change(plan=bring_plans(shop)["net"]), date(2026, 5, 14), today=TODAY
    )
    assert papers(shop, shop.supporter)[1:] == [("invoice", 1723, ["bundle None..None 1723"])]
    assert verify.verify(shop.session) == []


def test_who_had_no_part_of_a_cent_is_not_given_it_by_later_changes(
    shop: Shop, one: Subscription
) -> None:
    """One GiB for six days costs a cent, which the seller has, whoever is added then."""
    wanted = [Change(gib=11), *(Change(users=users) for users in range(6, 13))]
    for change in wanted:
        changes.change(shop.session, one, change, date(2027, 1, 25), today=TODAY)
    rooms = [
        [line for _kind, _gross, said in papers(shop, owner) for line in said if "room" in line]
        for owner in (shop.seller, shop.supporter)
    ]
    assert rooms == [[f"room 2027-01-25..{END} 1"], []]
    assert verify.verify(shop.session) == []
