"""What others see of deposits: documents, books, reports, erasure, and the command line."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from facturx import get_xml_from_pdf
from sqlalchemy import select, text

from provision import shipped
from provision.commands.sales.contract import contract
from provision.commands.sales.invoice import invoice
from provision.commands.sales.plan import plan
from provision.commands.sales.subscription import subscription
from provision.errors import UsageRefused
from provision.formats.facturx import schematron
from provision.formats.facturx.facturx_xml import facturx
from provision.formats.facturx.invoice_pdf import invoice_pdf
from provision.subscriptions.books import exporting, papers, verify
from provision.subscriptions.documents import allocating
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.ledger import posting
from provision.subscriptions.privacy import gathering, standing, tables
from provision.subscriptions.reports.factsfile import FactsFile
from provision.subscriptions.reports.gather_scope import Scope
from provision.subscriptions.reports.gathering import gather
from provision.subscriptions.selling import credit_notes
from provision.subscriptions.selling.credit_notes import What
from tests.integration.subscriptions import oracles
from tests.integration.subscriptions.commanding import ask, founders, settled
from tests.integration.subscriptions.deposits_shop import FIRST, counter

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.deposits_shop import Counter

# On both databases: test_deposits_deducted.py
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TODAY = FIRST
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
YEAR = exporting.Period(date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
def till(shop: Shop) -> Counter:
    """17.00 were deposited, two months deduct them, 5.00 more were deposited and taken back."""
    made = counter(shop)
    made.paid(1700)
    made.bill(FIRST, MARCH)
    credit_notes.credit(made.session, made.deposit(500, on=MARCH), What(), "trop", MARCH)
    return made


@pytest.fixture
def papered(till: Counter) -> dict[str, bytes]:
    wanted = select(Invoice)
    return {one.number: facturx(one) for one in papers.every(till.session, wanted)}


def test_deposits_final_invoices_and_their_credits_break_no_rule(
    papered: dict[str, bytes],
) -> None:
    assert len(papered) == 5
    found = dict(zip(papered, schematron.findings(papered.values()), strict=True))
    assert found == dict.fromkeys(papered, ())


def test_a_deduction_that_does_not_add_up_breaks_the_rules(papered: dict[str, bytes]) -> None:
    whole = papered["F2026-000003"].decode()
    prepaid, process = ">7.00</ram:TotalPrepaidAmount", "<ram:ID>S4<"
    assert prepaid in whole
    assert process in whole
    wrong = [
        whole.replace(prepaid, ">6.00</ram:TotalPrepaidAmount"),
        whole.replace("<ram:TypeCode>380<", "<ram:TypeCode>386<"),
    ]
    sums, kind = schematron.findings(one.encode() for one in wrong)
    assert "BR-CO-16" in {one.rule for one in sums}
    assert "BR-FR-CO-08_BT-23" in {one.rule for one in kind}


def test_the_papers_say_what_each_document_is(till: Counter) -> None:
    found = list(papers.every(till.session, select(Invoice)))
    said = {
        one.number: (
            one.kind.value,
            one.totals.prepaid,
            one.totals.payable,
            [earlier.number for earlier in one.references.preceding],
        )
        for one in found
    }
    assert said == {
        "A2026-000001": ("503", 0, 500, ["F2026-000004"]),
        "F2026-000001": ("386", 0, 1700, []),
        "F2026-000002": ("380", 1000, 0, ["F2026-000001"]),
        "F2026-000003": ("380", 700, 300, ["F2026-000001"]),
        "F2026-000004": ("386", 0, 500, []),
    }
    covered = next(one for one in found if one.number == "F2026-000002")
    assert (covered.is_paid, covered.payment, covered.dates.due) == (True, None, FIRST)


def test_the_pdf_holds_the_same_xml(till: Counter) -> None:
    final = next(papers.every(till.session, select(Invoice).where(Invoice.number == 3)))
    assert get_xml_from_pdf(invoice_pdf(final))[1] == facturx(final)


def test_the_fec_passes_the_checker_and_turns_4191_over(till: Counter) -> None:
    files = exporting.export(till.session, till.shop.seller, YEAR, "fec", "fr")
    assert exporting.problems(files, YEAR) == []
    rows = next(iter(files.values())).decode().splitlines()
    moved = [row.split("\t")[11:13] for row in rows if row.split("\t")[4] == "4191"]
    assert moved == [
        ["0,00", "14,17"],
        ["8,34", "0,00"],
        ["5,83", "0,00"],
        ["0,00", "4,17"],
        ["4,17", "0,00"],
    ]
    turned = next(row for row in rows if "déduit de" in row).split("\t")
    assert (turned[0], turned[8]) == ("VT", "F2026-000002")


def test_hledger_and_beancount_agree_on_every_balance(till: Counter, tmp_path: Path) -> None:
    found = posting.balance(till.session, posting.Sight(till.shop.seller.id))
    expected = {one.account: one.amount.units for one in found}
    for kind in ("beancount", "hledger"):
        (written,) = exporting.export(till.session, till.shop.seller, YEAR, kind, "fr").values()
        file = tmp_path / f"books.{kind}"
        file.write_bytes(written)
        assert oracles.balances(kind, file) == oracles.named(kind, expected)


def test_a_report_counts_a_deposit_when_it_is_deducted_and_once(shop: Shop) -> None:
    till = counter(shop)
    till.paid(1700)
    till.bill(FIRST)
    scope = Scope(date(2026, 2, 28))
    facts = gather(till.session, scope, FactsFile())
    assert facts.paid_cents == 1000
    assert sum(one.cents for one in facts.portions) == 1000
    assert [one.cents_received for one in facts.incomes if one.kind == "sale"] == [833]


def test_a_deposit_that_was_paid_back_is_nobodys_income(shop: Shop) -> None:
    till = counter(shop)
    number = till.paid(1700)
    note = credit_notes.credit(till.session, number, What(), "trop", FIRST)
    row = till.session.get_one(Invoice, tuple(note.columns.values()))
    allocating.allocate(till.session, note, 1700, "refund", (row.entry_number, FIRST))
    facts = gather(till.session, Scope(date(2026, 2, 28)), FactsFile())
    assert (facts.paid_cents, facts.portions, facts.incomes) == (0, (), ())


def test_who_has_a_deposit_that_waits_is_not_erased_and_sees_what_was_deducted(shop: Shop) -> None:
    till = counter(shop)
    till.paid(1700)
    till.bill(FIRST)
    there = tables.reflected(till.session)
    gathered = gathering.gather(till.session, there, till.shop.jeanne.id)
    found = standing.obstacles(gathered)
    assert [one.what for one in found if "journal" in one.what] == [
        "journal 1 holds -€5.83 beside the documents"
    ]
    assert [(row["net"], row["vat"]) for row in gathered["deposit_deduction"]] == [(834, 166)]


def test_a_deposit_is_paid_in_euros_alone(shop: Shop) -> None:
    till = counter(shop)
    number = till.deposit(1700)
    document = till.session.get_one(Invoice, tuple(number.columns.values()))
    with pytest.raises(UsageRefused, match="paid in euros alone"):
        allocating.check_of_person(document)


WRONG = [
    (
        "UPDATE deposit_deduction SET net = net + 1, vat = vat - 1 WHERE number = 2",
        {"deposits that wait", "the ledger turns another"},
    ),
    (
        "UPDATE deposit_deduction SET vat = vat + 900 WHERE number = 3",
        {"more of this deposit", "what it deducts", "the ledger turns another"},
    ),
    (
        "UPDATE ledger_posting SET account = '4197' WHERE account = '4191' AND units > 0",
        {"deposits that wait", "the ledger turns another"},
    ),
    ("UPDATE allocation SET units = units - 1 WHERE kind = 'deposit'", {"what it deducts"}),
]


@pytest.mark.parametrize(("sentence", "expected"), WRONG)
def test_whatever_is_changed_of_a_deduction_is_found(
    till: Counter, sentence: str, expected: set[str]
) -> None:
    assert verify.verify(till.session) == []
    table = sentence.split()[1]
    till.session.execute(text(f"DROP TRIGGER {table}_no_update"))
    till.session.execute(text(sentence))
    found = {one.what for one in verify.verify(till.session, seals=False)}
    for words in expected:
        assert any(one.startswith(words) for one in found), (words, found)


SOLD = ("--sold-by", "Boutique Libre", "--supported-by", "Les Amis du Libre", "--yes")


@pytest.fixture
def context(tmp_path: Path, database_url: str) -> Context:
    """A registry in which Jeanne has subscribed on the command line."""
    del database_url  # the registry of a command is a file of its own
    made = settled(tmp_path)
    with made.session() as session:
        founders(session)
    for group, name in ((plan, "plans"), (contract, "contract")):
        file = shipped.share("templates") / f"{name}.example.toml"
        run(made, group, "import", str(file), "--yes")
    who = ("jeanne@exemple.test", "--name", "Jeanne", "--plan", "famille")
    run(made, subscription, "open", *who, *SOLD)
    return made


def run(context: Context, group: Any, *words: str) -> str:  # noqa: ANN401 (any group)
    return ask(context, group, *words).stdout


def test_a_deposit_is_asked_for_listed_and_deducted_on_the_command_line(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("deposit", "1", "--amount", "30.00", "--why", "mise en route")
    would = json.loads(run(context, invoice, *asked, "--dry-run", "--json"))
    done = json.loads(run(context, invoice, *asked, "--yes", "--json"))
    assert would == done
    (document,) = done["documents"]
    assert (document["document"], document["kind"]) == ("F2026-000001", "deposit")
    assert document["gross"] == {"commodity": "EUR", "units": 3000}
    (listed,) = json.loads(run(context, invoice, "deposits", "--json"))
    assert (listed["number"], listed["subscription"], listed["credited"]) == (
        "F2026-000001",
        1,
        False,
    )
    assert listed["left"]["units"] == 0
    monkeypatch.setenv("COLUMNS", "120")
    assert "F2026-000001" in run(context, invoice, "deposits")


def test_no_deposit_is_said_in_words(context: Context) -> None:
    assert run(context, invoice, "deposits") == "There is none.\n"


def test_nobody_says_yes_for_a_person(context: Context) -> None:
    with pytest.raises(UsageRefused, match="Nobody is there"):
        run(context, invoice, "deposit", "1", "--amount", "30")
    assert json.loads(run(context, invoice, "deposits", "--json")) == []
