"""Who a customer is: typed by hand in many ways, kept in one, and never in the way of others."""

from __future__ import annotations

import json
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from provision.commands.bundles.order import order
from provision.commands.sales.invoice import invoice
from provision.errors import PaquetError, UsageRefused
from provision.formats.facturx.facturx_xml import facturx
from provision.formats.facturx.invoice_pdf import invoice_pdf
from provision.registry import secrets
from provision.registry.models import Subscriber
from provision.subscriptions.books import papers
from provision.subscriptions.documents import describing
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.parties import identities, organisations
from provision.subscriptions.parties.models import Identity
from provision.subscriptions.selling import billing
from provision.workflows import ordering
from tests.integration.subscriptions.commanding import (
    FIRM,
    PORT,
    SOLD,
    ask,
    identify,
    opened,
    read,
    selling,
)
from tests.integration.subscriptions.conftest import profile

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context

TODAY = date(2026, 3, 10)
INVENTORY = """
all:
  children:
    bundles:
      hosts: {bundles1: {ansible_host: 192.0.2.1, server_name: b1.paquet.test}}
    backup:
      hosts: {backup1: {ansible_host: 192.0.2.2, server_name: s1.paquet.test}}
"""


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A business that sells one plan with an association, and Jeanne, who has subscribed."""
    return selling(tmp_path)


def test_whatever_is_typed_is_kept_in_one_way_of_writing(context: Context) -> None:
    found = identify(context, *FIRM)
    assert (found["siren"], found["vat_id"]) == ("552100554", "FR96552100554")
    assert found["address"]["postcode"] == "14000"
    with context.reading() as session:
        kept = session.scalars(select(Identity.content).order_by(Identity.id)).all()
    assert json.loads(kept[-1])["siren"] == "552100554"


def test_what_is_not_typed_stays(context: Context) -> None:
    identify(context, *FIRM, "--name", "Jeanne SARL")
    found = identify(context, "--order-reference", "BC 2026-17")
    assert (found["name"], found["kind"], found["siren"]) == ("Jeanne SARL", "company", "552100554")
    moved = identify(context, "--street", "2 quai de Juillet")["address"]
    assert (moved["lines"], moved["city"]) == (["2 quai de Juillet"], "Caen")
    assert identify(context, "--order-reference", "")["order_reference"] == ""


def test_a_company_becomes_a_person_only_when_that_is_said(context: Context) -> None:
    identify(context, *FIRM)
    assert identify(context, "--name", "Jeanne Martin")["kind"] == "company"
    found = identify(context, "--kind", "person")
    assert (found["kind"], found["siren"], found["vat_id"]) == ("person", "", "")
    assert found["address"]["city"] == "Caen"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--siren", "552100554"), "neither a SIREN nor a VAT number"),
        (("--kind", "company"), "need its address"),
        (("--city", "Caen"), "begins with a street"),
        ((*FIRM, "--siren", "552100555"), "wrong digit"),
        ((*FIRM, "--siren", "732829320"), "is not of the business"),
        ((*FIRM, "--vat-id", "FR24552100554"), "wrong key"),
        (("--order-reference", "BC\n17"), "cannot be printed"),
        (("--order-reference", "BC" * 31), "is longer than 60"),
        ((*PORT, "--postcode", "1400"), "is not a French postcode"),
    ],
)
def test_a_mistake_is_one_sentence_and_changes_nothing(
    context: Context, words: tuple[str, ...], why: str
) -> None:
    with pytest.raises(PaquetError, match=why):
        identify(context, *words)
    assert identify(context)["kind"] == "person"


def test_what_its_accountant_wants_stands_on_the_invoice(context: Context) -> None:
    identify(context, *FIRM, "--order-reference", "BC 2026-17")
    billing.bill(context.engine, TODAY)
    with context.reading() as session:
        (document,) = papers.every(session, select(Invoice))
        assert "<ram:IssuerAssignedID>BC 2026-17<" in facturx(document).decode()
        shown = " ".join(
            page.extract_text() for page in PdfReader(BytesIO(invoice_pdf(document))).pages
        )
    assert "Votre commande BC 2026-17" in " ".join(shown.split())


def test_the_penalties_of_the_seller_stand_on_an_invoice_to_a_business(context: Context) -> None:
    identify(context, *FIRM)
    with context.session() as session:
        seller = organisations.get(session, "Boutique Libre")
        own = profile("Boutique Libre", penalties="12 % par an")
        describing.describe(session, seller, own, date(2026, 2, 1))
    billing.bill(context.engine, TODAY)
    with context.reading() as session:
        (document,) = papers.every(session, select(Invoice))
    assert "exigibles sans rappel : 12 % par an" in facturx(document).decode()


def test_who_subscribes_can_be_said_at_once(context: Context) -> None:
    made = opened(context, "paul", *FIRM, "--invoice-name", "Paul SARL")
    assert (made["customer"]["name"], made["customer"]["siren"]) == ("Paul SARL", "552100554")
    billing.bill(context.engine, TODAY)
    (_jeanne, paul) = read(context, invoice, "list")
    assert paul["for"] == "Paul SARL"


def test_who_orders_can_be_said_with_the_order(context: Context) -> None:
    context.settings.inventory.write_text(INVENTORY, "utf-8")
    words = ("place", "paul@exemple.test", "--name", "Paul", *SOLD, "--domain", "paul.paquet.test")
    firm = (*FIRM, "--invoice-name", "Paul SARL", "--cloud", "light")
    would = read(context, order, *words, *firm, "--dry-run")
    assert would["invoices to"] == "Paul SARL, company, 552100554"
    with pytest.raises(UsageRefused, match="need its address"):
        ask(context, order, *words, "--cloud", "light", "--kind", "company", "--dry-run")
    secrets.make_key_file(context.settings.key_file)
    wish = ordering.check(context.control(), ordering.Words(**placed("paul.paquet.test")))
    customer = {"kind": "company", "siren": "552100554", "lines": ("1 rue du Port",)}
    ordering.place(context.control(), wish, customer | {"postcode": "14 000", "city": "Caen"})
    with context.reading() as session:
        kept = session.scalars(select(Identity).order_by(Identity.id.desc()).limit(1)).one()
        assert identities.read(kept).siren == "552100554"


def test_who_orders_from_abroad_is_checked_before_anything_is_touched(context: Context) -> None:
    context.settings.inventory.write_text(INVENTORY, "utf-8")
    secrets.make_key_file(context.settings.key_file)
    there = ("--street", "1 rue Haute", "--postcode", "1000", "--city", "Bruxelles")
    words = ("place", "paul@exemple.test", "--name", "Paul", *SOLD, "--domain", "paul.paquet.test")
    firm = ("--kind", "company", *there, "--country", "Belgique", "--cloud", "light")
    with pytest.raises(UsageRefused, match="Boutique Libre is exempt in France"):
        ask(context, order, *words, *firm, "--dry-run")
    swiss = (*firm[:-4], "--country", "Suisse", *firm[-2:])
    assert read(context, order, *words, *swiss, "--dry-run")["invoices to"] == "Paul, company"


def test_who_was_written_down_in_french_keeps_the_language_of_before(context: Context) -> None:
    """Before --language, what documents say of somebody was in French, whatever they spoke."""
    identify(context, *FIRM)
    with context.session() as session:
        session.scalars(select(Subscriber)).one().language = "en"
    assert identify(context, "--city", "Bayeux")["language"] == "en"
    billing.bill(context.engine, TODAY)
    with context.reading() as session:
        (paper,) = papers.every(session, select(Invoice))
        assert paper.terms.language == "en"


def placed(domain: str) -> dict[str, Any]:
    return {
        "email": "paul@exemple.test",
        "name": "Paul",
        "plan": "famille",
        "domain": domain,
        "cloud": "light",
        "server": None,
        "sold_by": "Boutique Libre",
        "supported_by": "Les Amis du Libre",
        "login": None,
        "language": None,
        "device": "Téléphone",
        "kind": "android",
    }


def test_one_document_that_cannot_be_written_stops_no_other(
    context: Context, tmp_path: Path
) -> None:
    opened(context, "paul", *FIRM)
    opened(context, "nora", *FIRM)
    with context.session() as session:
        nora = session.scalars(select(Identity).order_by(Identity.id.desc()).limit(1)).one()
        content = nora.content.replace("552100554", "55210055")
        session.add(Identity(subscriber_id=nora.subscriber_id, recorded_on=TODAY, content=content))
    billing.bill(context.engine, TODAY)
    folder = tmp_path / "papers"
    words = ("--by", "Boutique Libre", "--since", "2026-03-01", "--yes", "--to", str(folder))
    with pytest.raises(PaquetError, match="1 of the documents could not be written") as refused:
        ask(context, invoice, "write", *words)
    assert "F2026-000003: '55210055' is not the SIREN of the buyer" in refused.value.hint
    assert {path.name for path in folder.iterdir()} == {"F2026-000001.pdf", "F2026-000002.pdf"}
    with pytest.raises(PaquetError, match="could not be written"):
        ask(context, invoice, "drop", *words[:-1], str(tmp_path / "outbox"))
    assert list((tmp_path / "outbox").rglob("*F2026-000002*"))
