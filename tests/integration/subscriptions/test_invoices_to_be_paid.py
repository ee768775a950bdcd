"""What an invoice asks its reader to pay by themselves, on the day on which it is written."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision.days import ONE_DAY
from provision.errors import PaquetError
from provision.subscriptions.books import papers
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.parties import profilefile
from provision.subscriptions.payments import answers, mandates, paying
from provision.subscriptions.payments.mandates import WantedMandate
from provision.subscriptions.selling import credit_notes
from provision.subscriptions.selling.credit_notes import What
from tests.integration.subscriptions.commanding import own_profile
from tests.integration.subscriptions.conftest import START, newcomer
from tests.integration.subscriptions.paying_shop import (
    COLLECT_ON,
    THEIRS,
    TODAY,
    TOLD,
    Said,
    open_till,
)

if TYPE_CHECKING:
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Till

LINK = "https://pay.example/{invoice}/{amount}"


@pytest.fixture
def till(shop: Shop) -> Till:
    """Jeanne and Luc owe 10 euros each; nobody gave a mandate yet."""
    made = open_till(shop, payment_link=LINK)
    for subscriber in (shop.jeanne, newcomer(made.session, "Luc")):
        made.shop.subscribe(subscriber)
    shop.bill(START + ONE_DAY)
    return made


def asked(till: Till) -> dict[str, tuple[int, str]]:
    """Return what each document asks for: cents, and where a card pays them."""
    return {
        paper.number: (paper.to_be_paid.units, paper.to_be_paid.link)
        for paper in papers.every(till.session, select(Invoice))
        if paper.to_be_paid
    }


def test_what_is_open_is_asked_for_until_it_is_paid(till: Till) -> None:
    first, second = till.invoices()
    assert asked(till) == {
        "F2026-000001": (1000, "https://pay.example/F2026-000001/10.00"),
        "F2026-000002": (1000, "https://pay.example/F2026-000002/10.00"),
    }
    part, whole = till.bank(Said(400), Said(1000))
    paying.pay(till.session, part, [first], TODAY)
    paying.pay(till.session, whole, [second], TODAY)
    assert asked(till) == {"F2026-000001": (600, "https://pay.example/F2026-000001/6.00")}


def test_what_is_debited_is_not_asked_for_until_the_bank_refuses_it(till: Till) -> None:
    """The mandate came after the invoice, whose page still says where to transfer."""
    later = (COLLECT_ON, TOLD)
    row = mandates.add(till.session, till.seller, till.shop.jeanne, WantedMandate(), later)
    mandates.sign(till.session, row, COLLECT_ON, THEIRS, later)
    assert set(asked(till)) == {"F2026-000001", "F2026-000002"}
    till.collect(on=COLLECT_ON + 28 * ONE_DAY, made=datetime(2026, 2, 2, 9, 30))  # noqa: DTZ001 (local time)
    assert set(asked(till)) == {"F2026-000002"}
    (item,) = answers.running(till.session, till.seller.id).values()
    answers.refuse(till.session, till.seller.id, item[0].reference, (COLLECT_ON, "AC04"))
    assert set(asked(till)) == {"F2026-000001", "F2026-000002"}


def test_an_invoice_under_a_mandate_of_its_day_asks_for_nothing(till: Till) -> None:
    till.mandate(till.shop.jeanne)
    assert set(asked(till)) == {"F2026-000002"}


def test_a_link_that_is_no_shop_is_refused_when_it_is_described(tmp_path: Path) -> None:
    file = Path(own_profile(tmp_path, payment_link=LINK))
    assert profilefile.read(file).payment_link == LINK
    own_profile(tmp_path, payment_link="http://pay.example/{invoice}")
    with pytest.raises(PaquetError, match=r"payment_link: .* is not an https address"):
        profilefile.read(file)


def test_a_credit_note_asks_for_nothing(till: Till) -> None:
    invoice = till.invoices()[0]
    (row,) = till.bank(Said(1000))
    paying.pay(till.session, row, [invoice], TODAY)
    credit_notes.credit(till.session, invoice.number, What(), "panne", TODAY)
    assert {item.shown for item in till.invoices()} == {"F2026-000002", "A2026-000001"}
    assert set(asked(till)) == {"F2026-000002"}
