from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision.commands.payments.payment import payment
from provision.commands.sales.invoice import invoice
from provision.commands.sales.subscription import subscription
from provision.errors import UsageRefused
from provision.formats.facturx import schematron
from provision.formats.facturx.facturx_xml import facturx
from provision.formats.facturx.invoice_pdf import invoice_html
from provision.subscriptions.books import papers, verify
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.selling import billing
from tests.integration.subscriptions.commanding import FIRM, ask, identify, read, selling

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context

TODAY = date(2026, 3, 10)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Jeanne was billed as a private person."""
    made = selling(tmp_path)
    billing.bill(made.engine, TODAY)
    return made


def test_an_invoice_for_the_wrong_customer_is_made_again(context: Context) -> None:
    words = ("correct", "F2026-000001", "--by", "Boutique Libre")
    with pytest.raises(UsageRefused, match="as it is known today"):
        ask(context, invoice, *words, "--yes")
    identify(context, *FIRM, "--name", "Jeanne SARL")
    would = read(context, invoice, *words, "--dry-run")
    made = read(context, invoice, *words, "--yes")
    assert would == made
    assert [one["document"] for one in made["documents"]] == ["A2026-000001", "F2026-000002"]
    listed = {
        one["number"]: (one["for"], one["open"]["units"]) for one in read(context, invoice, "list")
    }
    assert listed == {
        "F2026-000001": ("Jeanne", 0),
        "A2026-000001": ("Jeanne", 0),
        "F2026-000002": ("Jeanne SARL", 1000),
    }
    with context.reading() as session:
        (*_old, new) = papers.every(session, select(Invoice))
        assert [one.number for one in new.references.preceding] == ["F2026-000001"]
        assert schematron.findings([facturx(new)]) == [()]
        assert b"<ram:ID>S1<" in facturx(new)  # to be paid; S4 would be after a deposit
        shown = invoice_html(new)
        assert "Remplace</span><b>F2026-000001" in shown
        assert "acompte" not in shown
        assert verify.verify(session) == []
    with pytest.raises(UsageRefused, match="made again as F2026-000002"):
        ask(context, invoice, *words, "--yes")


def test_an_invoice_that_was_made_again_is_corrected_by_the_newer_one(context: Context) -> None:
    """Also when that one was taken back since, and the days of both are free."""
    first, second = (
        ("correct", f"F2026-00000{place}", "--by", "Boutique Libre", "--yes") for place in (1, 2)
    )
    identify(context, *FIRM)
    ask(context, invoice, *first)
    ask(context, subscription, "credit", "Boutique Libre", "F2026-000002", "--reason", "x", "--yes")
    identify(context, "--name", "Jeanne SARL")
    with pytest.raises(UsageRefused, match="made again as F2026-000002") as refused:
        ask(context, invoice, *first)
    assert refused.value.hint == "Correct that one: paquet invoice correct F2026-000002"
    (made,) = read(context, invoice, *second)["documents"]
    assert made["document"] == "F2026-000003"
    with context.reading() as session:
        assert verify.verify(session) == []


def test_days_that_another_document_charges_are_not_charged_again(context: Context) -> None:
    ask(context, subscription, "credit", "Boutique Libre", "F2026-000001", "--reason", "x", "--yes")
    change = ("change", "1", "--users", "9", "--from", "2026-03-20", "--yes")
    ask(context, subscription, *change)
    identify(context, *FIRM)
    with pytest.raises(UsageRefused, match="Other documents charge the days"):
        ask(context, invoice, "correct", "F2026-000001", "--by", "Boutique Libre", "--yes")


def test_what_was_paid_of_a_wrong_invoice_counts_for_the_right_one(context: Context) -> None:
    ask(
        context,
        payment,
        "record",
        "Boutique Libre",
        "F2026-000001",
        "7,00",
        "--slip",
        "R-1",
        "--yes",
    )
    identify(context, *FIRM)
    ask(context, invoice, "correct", "F2026-000001", "--by", "Boutique Libre", "--yes")
    listed = {one["number"]: one["open"]["units"] for one in read(context, invoice, "list")}
    assert listed == {"F2026-000001": 0, "A2026-000001": 0, "F2026-000002": 300}


def test_an_invoice_that_was_taken_back_before_is_made_again(context: Context) -> None:
    words = ("Boutique Libre", "F2026-000001", "--reason", "mauvais client", "--yes")
    ask(context, subscription, "credit", *words)
    identify(context, *FIRM)
    correct = ("correct", "F2026-000001", "--by", "Boutique Libre", "--yes")
    (made,) = read(context, invoice, *correct)["documents"]
    assert (made["document"], made["gross"]["units"]) == ("F2026-000002", 1000)
    with context.reading() as session:
        assert verify.verify(session) == []
