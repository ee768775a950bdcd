from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from facturx import get_xml_from_pdf
from sqlalchemy import func, select

from provision.commands.sales.invoice import invoice
from provision.errors import PaquetError, UsageRefused
from provision.formats.facturx import schematron
from provision.registry.models import Subscriber
from provision.subscriptions.documents.models import BillingRun
from provision.subscriptions.parties import identities
from provision.subscriptions.parties.identities import Person
from provision.subscriptions.parties.profiles import Address
from provision.subscriptions.selling.models import Subscription
from tests.integration.subscriptions.boutique_shop import sold_to_jeanne
from tests.integration.subscriptions.commanding import ask, read, settled

if TYPE_CHECKING:
    from provision.commands.shared.context import Context


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return settled(tmp_path)


@pytest.fixture
def sold(context: Context, tmp_path: Path) -> Context:
    """A plan sold to Jeanne and billed, by a business with an association."""
    return sold_to_jeanne(context, tmp_path)


def test_what_would_be_billed_is_shown_before_it_is(sold: Context) -> None:
    planned = read(sold, invoice, "run", "--on", "2026-04-30", "--dry-run")
    gross = {"commodity": "EUR", "units": 1000}
    expected = {
        "days": "2026-04-30",
        "documents": 1,
        "subscriptions_ended": 0,
        "gross": gross,
    }
    assert planned == expected
    assert read(sold, invoice, "run", "--on", "2026-04-30", "--yes") == expected
    again = read(sold, invoice, "run", "--on", "2026-04-30", "--yes")
    assert again == {**expected, "documents": 0, "gross": {"commodity": "EUR", "units": 0}}


def test_where_nothing_is_due_nobody_is_asked_and_nothing_is_written(sold: Context) -> None:
    def runs() -> int:
        with sold.reading() as session:
            return session.scalar(select(func.count()).select_from(BillingRun)) or 0

    before = runs()
    for words in ((), ("--yes",), ("--dry-run",)):
        said = ask(sold, invoice, "run", "--on", "2026-03-31", *words)
        assert said.stdout == "Nothing is due.\n"
        assert runs() == before


def test_a_run_that_only_ends_subscriptions_asks_too(sold: Context) -> None:
    with sold.session() as session:
        session.get_one(Subscription, 1).last_day = date(2026, 4, 29)
    with pytest.raises(UsageRefused, match="Nobody is there to say yes"):
        ask(sold, invoice, "run", "--on", "2026-04-30")
    ran = read(sold, invoice, "run", "--on", "2026-04-30", "--yes")
    assert (ran["documents"], ran["subscriptions_ended"]) == (0, 1)


def test_a_day_that_is_still_to_come_is_not_billed(sold: Context) -> None:
    with pytest.raises(PaquetError, match="2099-12-31 is still to come"):
        ask(sold, invoice, "run", "--on", "2099-12-31", "--yes")


def test_nothing_is_billed_on_a_ledger_that_is_not_whole(sold: Context) -> None:
    with sold.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER invoice_line_no_update")
        connection.exec_driver_sql("UPDATE invoice_line SET net = 1")
    with pytest.raises(PaquetError, match="The ledger is not whole: organisation 1, F2026-000001"):
        ask(sold, invoice, "run", "--on", "2026-04-30", "--yes")


def test_documents_are_listed_with_what_is_open(sold: Context) -> None:
    listed = read(sold, invoice, "list", "--by", "boutique", "--open")
    ten = {"commodity": "EUR", "units": 1000}
    assert isinstance(listed, list)
    (one,) = listed
    assert (one["number"], one["for"], one["due"]) == ("F2026-000001", "=cmd()", "2026-04-30")
    assert (one["gross"], one["open"]) == (ten, ten)
    assert read(sold, invoice, "list", "--since", "2026-04-01") == []


def test_a_document_is_written_as_pdf_that_holds_its_factur_x(
    sold: Context, tmp_path: Path
) -> None:
    words = ["F2026-000001", "--by", "Boutique", "--to", str(tmp_path / "out"), "--xml", "--yes"]
    written = read(sold, invoice, "write", *words)
    assert isinstance(written, list)
    pdf, xml = (Path(one["file"]) for one in written)
    _name, inside = get_xml_from_pdf(pdf.read_bytes(), check_xsd=True)
    assert inside == xml.read_bytes()
    assert b"=cmd()" in inside
    assert schematron.findings([inside]) == [()]
    assert (pdf.stat().st_mode & 0o777, xml.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_an_invoice_to_a_business_is_dropped_once_and_its_answer_is_read(
    sold: Context, tmp_path: Path
) -> None:
    address = Address(lines=("2 quai de Juillet",), postcode="14000", city="Caen")
    amicale = Person(
        name="Amicale", email="a@exemple.test", kind="company", siren="552100554", address=address
    )
    with sold.session() as session:
        jeanne = session.scalars(select(Subscriber)).one()
        identities.write(session, jeanne, amicale, date(2026, 4, 1))
    ask(sold, invoice, "run", "--on", "2026-04-30", "--yes")
    words = ["--by", "Boutique", "--since", "2026-01-01", "--to", str(tmp_path), "--yes"]
    dropped = {"number": "F2026-000002", "state": "dropped"}
    first, second = read(sold, invoice, "drop", *words), read(sold, invoice, "drop", *words)
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert [first[0]["state"], first[1]] == ["left out: the buyer is a private person", dropped]
    assert second[1]["state"] == "dropped before"
    assert sorted(path.suffix for path in tmp_path.glob("732829320-*")) == [".json", ".pdf"]
    answer = {
        "trackingId": "732829320-F2026-000002",
        "flowId": "1",
        "acknowledgement": {"status": "Ok"},
    }
    inbox = tmp_path / "in"
    inbox.mkdir()
    (inbox / "1.json").write_text(json.dumps(answer), encoding="utf-8")
    assert read(sold, invoice, "answers", "--from", str(inbox)) == [
        {"invoice": "732829320-F2026-000002", "state": "Ok", "reasons": ""}
    ]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["F2026-000009", "--by", "Boutique"], "Boutique has no document F2026-000009"),
        (["F2026", "--by", "Boutique"], "'F2026' is not the number of an invoice"),
        (["--by", "Boutique"], "Which documents"),
    ],
)
def test_a_document_that_is_not_there_is_said(
    sold: Context, tmp_path: Path, words: list[str], why: str
) -> None:
    with pytest.raises(PaquetError, match=why):
        ask(sold, invoice, "write", *words, "--to", str(tmp_path))
