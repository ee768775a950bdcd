"""A seller that is liable for VAT, an association, and those who subscribe from abroad."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.formats.facturx import schematron
from provision.formats.facturx.facturx_xml import facturx
from provision.subscriptions.books import papers, verify
from provision.subscriptions.documents import describing, numbering
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.ledger import posting
from provision.subscriptions.parties import organisations
from provision.subscriptions.selling import billing
from tests.integration.subscriptions.commanding import SOLD, selling
from tests.integration.subscriptions.conftest import profile

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context
    from provision.formats.facturx.invoice import PaperInvoice as Paper
    from provision.subscriptions.selling.billing import BillingOutcome

SELLER, ASSOCIATION = SOLD[3], SOLD[5]
LIABLE = {"vat": "liable", "vat_id": "FR44732829320"}
CHECKED = ("--vies-consultation", "WAPIAAAAWbpWT9mN", "--vies-date", "2026-03-09")
RUE = ("--street", "1 rue Haute", "--postcode")
BELGIUM = (*RUE, "1000", "--city", "Bruxelles", "--country", "Belgique")
BELGIAN = ("--kind", "company", "--vat-id", "BE 0403.170.701", *BELGIUM)
SWISS = (*RUE, "1204", "--city", "Genève", "--country", "Suisse")


def trading(folder: Path, **changes: str) -> Context:
    """The shop of `selling`, whose seller owes VAT (or what `changes` say) from February on."""
    made = selling(folder)
    described(made, SELLER, date(2026, 2, 1), **{**LIABLE, **changes})
    return made


def described(context: Context, name: str, since: date, **changes: str) -> None:
    """Describe an organisation anew."""
    with context.session() as session:
        owner = organisations.get(session, name)
        describing.describe(session, owner, profile(name, **changes), since)


def billed(context: Context, day: date) -> BillingOutcome:
    """Bill what is due."""
    return billing.bill(context.engine, day)


def written(context: Context) -> list[Paper]:
    """Return all documents as they were issued, once their XML and the ledger break no rule."""
    with context.reading() as session:
        found = {one.number: one for one in papers.every(session, select(Invoice))}
        order = session.scalars(select(Invoice).order_by(Invoice.entry_number))
        documents = [found[numbering.shown(one.series, one.number)] for one in order]
        assert verify.verify(session) == []
    assert schematron.findings([facturx(one) for one in documents]) == [()] * len(documents)
    return documents


def to(documents: list[Paper], name: str) -> list[Paper]:
    """Return those that name this buyer."""
    return [one for one in documents if one.buyer.name == name]


def sums(document: Paper) -> list[tuple[str, int, int, int]]:
    """Return category, rate, basis and VAT of each group of a document."""
    return [(one.category, one.rate, one.basis, one.vat) for one in document.groups]


def account(context: Context, number: str) -> int:
    """Return the balance of an account of all organisations."""
    with context.reading() as session:
        return sum(one.amount.units for one in posting.balance(session) if one.account == number)
