"""The commonest user of all, on the command line: an association that hosts and sells alone.

1 March    opens Jeanne's month of 10.00 (no VAT: accessory), takes her fee of 20.00 in cash
1 March    bills: one invoice of 10.00; she pays it in cash on the 5th
31 March   a report of the month; at the year's end a FEC
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.commands.begin.init import init
from provision.commands.books.books import books
from provision.commands.books.report import report
from provision.commands.books.settlement import settlement
from provision.commands.commons.receipt import receipt
from provision.commands.payments.payment import payment
from provision.commands.sales.contract import contract
from provision.commands.sales.invoice import invoice
from provision.commands.sales.organisation import organisation
from provision.commands.sales.plan import plan
from provision.commands.sales.subscription import subscription
from provision.commands.shared.context import Context
from tests.integration.subscriptions.commanding import ask, own_profile, read

if TYPE_CHECKING:
    from pathlib import Path

    import click

TODAY = date(2026, 3, 31)
US = "Nuage Libre"
ANSWERS = (
    *("--operator", US, "--zone", "nuage.example", "--contact", "aide@nuage.example"),
    *("--telephone", "", "--language", "fr", "--sellers", "alone", "--yes"),
)
SIGNED = "Camille Dubois"
RECEIPTS = f"""
[receipts]
registration = "987 654 324"
purpose = "Aider chacun à quitter les géants du web"
signed_by = "{SIGNED}"
signed_as = "trésorière"
"""
JEANNE = ("jeanne@exemple.test", "--name", "Jeanne Martin")
MARCH = ("--from", "2026-03-01", "--until", "2026-03-31")
YEAR = ("--from", "2026-01-01", "--until", "2026-12-31")


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """An association that followed `paquet init`, with one subscriber since March."""
    monkeypatch.chdir(tmp_path)
    context = Context(tmp_path / "paquet.toml")

    def do(group: click.Command, *words: str) -> None:
        ask(context, group, *words, "--yes")

    ask(context, init, *ANSWERS, "--registry", f"sqlite:///{tmp_path}/paquet.db")
    do(organisation, "add", US, "--kind", "association", "--siren", "987 654 324")
    changes = {"name": US, "vat": "association_accessory", "vat_id": ""}
    profile = own_profile(tmp_path, "organisation.toml", **changes)
    with (tmp_path / "organisation.toml").open("a", encoding="utf-8") as file:
        file.write(RECEIPTS)
    do(organisation, "describe", US, profile, "--from", "2026-01-01")
    do(contract, "import", "contract.toml")
    do(plan, "import", "plans.toml")
    words = ("--plan", "famille", "--sold-by", US, "--from", "2026-03-01")
    do(subscription, "open", *JEANNE, *words)
    do(invoice, "run", "--on", "2026-03-01")
    return context


def test_it_invoices_is_paid_and_settles_with_nobody(alone: Context, tmp_path: Path) -> None:
    (document,) = read(alone, invoice, "list")
    assert document["state"] == "issued"
    paid = ("--slip", "1", "--on", "2026-03-05", "--yes")
    euros = f"{document['open']['units'] / 100:.2f}"
    ask(alone, payment, "record", US, document["number"], euros, *paid)
    assert read(alone, invoice, "list", "--open") == []
    ask(alone, invoice, "write", document["number"], "--by", US, "--to", str(tmp_path), "--yes")
    assert (tmp_path / f"{document['number']}.pdf").stat().st_size > 0
    assert read(alone, settlement, "owed") == []
    assert read(alone, settlement, "make", "--yes") == []
    assert read(alone, books, "verify")["findings"] == []


def test_it_gives_receipts_for_fees(alone: Context, tmp_path: Path) -> None:
    words = ("jeanne@exemple.test", "20", "--means", "cash", "--on", "2026-03-01", *MARCH)
    ask(alone, receipt, "membership", US, *words, "--to", str(tmp_path), "--yes")
    (made,) = tmp_path.glob("R2026-*.pdf")
    assert made.read_bytes().startswith(b"%PDF")


def test_its_fec_passes_the_checker_and_its_report_knows_one_party(
    alone: Context, tmp_path: Path
) -> None:
    ask(alone, books, "export", US, "--format", "fec", *YEAR, "--to", str(tmp_path), "--yes")
    fec = (tmp_path / "987654324FEC20261231.txt").read_text("utf-8")
    assert "F2026-000001" in fec
    assert SIGNED not in fec
    told = ask(alone, report, "show", "--organisation", US, "--until", "2026-03-31").stdout
    assert US in told
    page = tmp_path / "page.html"
    ask(alone, report, "page", "--until", "2026-03-31", "--to", str(page), "--yes")
    text = page.read_text("utf-8")
    assert US in text
    assert "oordination" not in text  # nobody is coordinated: 0 € would read like a fault
    assert read(alone, report, "show", "--until", "2026-03-31")["coordination"] == []
