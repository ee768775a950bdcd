from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from facturx import get_xml_from_pdf
from sqlalchemy import func, select

from provision import shipped
from provision.commands.books.books import books
from provision.commands.payments.dunning import dunning
from provision.commands.sales.contract import contract
from provision.commands.sales.invoice import invoice
from provision.commands.sales.organisation import organisation
from provision.commands.sales.plan import plan
from provision.commands.sales.subscription import subscription
from provision.errors import PaquetError, UsageRefused
from provision.formats.facturx import schematron
from provision.money import euros
from provision.registry.models import Subscriber
from provision.subscriptions.documents.models import BillingRun
from provision.subscriptions.ledger import posting
from provision.subscriptions.ledger.journal import Entry, Line
from provision.subscriptions.offers import plans
from provision.subscriptions.offers.models import Plan
from provision.subscriptions.parties import identities, organisations
from provision.subscriptions.parties.identities import Person
from provision.subscriptions.parties.models import OrganisationProfile
from provision.subscriptions.parties.profiles import Address
from provision.subscriptions.selling import opening
from provision.subscriptions.selling.models import Subscription
from provision.subscriptions.selling.opening import Sale
from tests.integration.subscriptions.commanding import ask, own_profile, read, settled
from tests.integration.subscriptions.conftest import DAY

if TYPE_CHECKING:
    from provision.commands.shared.context import Context

EXPORT = ("export", "Boutique", "--format", "beancount", "--to", "/dev/null/books")
PARTS = ("--supporter-parts", "30", "--seller-parts", "70", "--from", "2026-01-01")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return settled(tmp_path)


@pytest.fixture
def sold(context: Context, tmp_path: Path) -> Context:
    """A registry in which Jeanne subscribed, all of it by commands but the order."""
    example = shipped.share("templates") / "plans.example.toml"
    ask(
        context,
        organisation,
        "add",
        "Boutique",
        "--kind",
        "business",
        "--siren",
        "732829320",
        "--yes",
    )
    ask(context, organisation, "add", "Les Amis", "--kind", "association", "--yes")
    ask(context, plan, "import", str(example), "--yes")
    ask(context, contract, "add", "Boutique", "Les Amis", *PARTS, "--yes")
    moment = datetime(2026, 3, 31, tzinfo=UTC)
    with context.session() as session:
        jeanne = Subscriber(
            name="=cmd()", email="jeanne@exemple.test", language="fr", created_at=moment
        )
        session.add(jeanne)
        sale = Sale(
            plans.get(session, "famille"),
            organisations.get(session, "boutique"),
            organisations.get(session, "les amis"),
        )
        opening.open_subscription(session, jeanne, sale, today=moment.date())
    described = own_profile(tmp_path)
    ask(context, organisation, "describe", "Boutique", described, "--from", "2026-01-01", "--yes")
    ask(context, invoice, "run", "--on", "2026-03-31", "--yes")
    return context


def test_an_organisation_is_added_and_shown(context: Context) -> None:
    words = ["--kind", "association", "--territory", "Calvados"]
    ask(context, organisation, "add", "Les Amis", *words, "--yes")
    expected = {"name": "Les Amis", "kind": "association", "siren": None, "territory": "Calvados"}
    assert read(context, organisation, "show", "LES AMIS") == expected
    assert read(context, organisation, "list") == [expected]


def test_a_dry_import_writes_nothing(context: Context) -> None:
    example = str(shipped.share("templates") / "plans.example.toml")
    said = ask(context, plan, "import", example, "--dry-run").stdout
    assert re.search(r"famille +monthly price from 2026-01-01 +10,00\u00a0€", said)
    assert "€1" not in said  # amounts are written as the operator's language has them
    with context.session() as session:
        assert session.scalars(select(Plan)).all() == []


def test_an_import_again_says_that_nothing_is_new(sold: Context) -> None:
    example = str(shipped.share("templates") / "plans.example.toml")
    assert "Nothing is new." in ask(sold, plan, "import", example, "--yes").stdout


def test_plans_are_listed_and_shown_with_their_prices(sold: Context) -> None:
    listed = read(sold, plan, "list")
    assert isinstance(listed, list)
    assert {"association", "famille", "solo"} <= {plan["plan"] for plan in listed}
    shown = read(sold, plan, "show", "famille")
    assert isinstance(shown, dict)
    assert shown["prices"][0] == {
        "from": "2026-01-01",
        "component": "bundle",
        "term": "monthly",
        "price": {"commodity": "EUR", "units": 1000},
    }
    assert "10,00\u00a0€" in ask(sold, plan, "show", "famille").stdout


def test_contracts_are_listed(sold: Context) -> None:
    assert read(sold, contract, "list") == [
        {
            "from": "2026-01-01",
            "seller": "Boutique",
            "supporter": "Les Amis",
            "mode": "resale",
            "shares": "30 Les Amis, 70 Boutique",
        }
    ]


def test_a_subscription_shows_what_was_pinned(sold: Context) -> None:
    found = read(sold, subscription, "show", "jeanne@exemple.test")
    assert isinstance(found, list)
    (one,) = found
    assert one["price"] == {"commodity": "EUR", "units": 1000}
    assert (one["plan"], one["mode"], one["first_day"]) == ("famille", "resale", "2026-03-31")
    assert (one["users"], one["gib"], one["contract_from"]) == (5, 100, "2026-01-01")
    listed = read(sold, subscription, "list")
    assert isinstance(listed, list)
    assert listed[0].items() <= one.items()
    assert "10,00\u00a0€" in ask(sold, subscription, "show", "1").stdout


def test_the_balance_is_exact_in_json_and_french_on_the_terminal(sold: Context) -> None:
    rows = read(sold, books, "balance", "--organisation", "boutique")
    assert isinstance(rows, list)
    assert rows[0] == {
        "organisation": "Boutique",
        "account": "411",
        "label": "Clients",
        "debit": {"commodity": "EUR", "units": 1000},
        "credit": {"commodity": "EUR", "units": 0},
        "balance": {"commodity": "EUR", "units": 1000},
    }
    assert [(row["account"], row["balance"]["units"]) for row in rows[1:]] == [
        ("44571", -167),
        ("706", -833),
    ]
    assert "-8,33\u00a0€" in ask(sold, books, "balance").stdout
    assert read(sold, books, "balance", "--on", "2026-03-30") == []


def test_an_empty_ledger_says_so(context: Context) -> None:
    assert ask(context, books, "balance").stdout == "Nothing is posted yet.\n"
    assert read(context, books, "balance") == []


def test_verify_is_content_with_a_whole_ledger(sold: Context) -> None:
    answer = ask(sold, books, "verify")
    assert answer.exit_code == 0
    assert "All is as it must be." in answer.stdout
    found = read(sold, books, "verify")
    assert isinstance(found, dict)
    assert found["findings"] == []
    assert {head["organisation"]: head["entries"] for head in found["heads"]} == {
        "Boutique": 1,
        "Les Amis": 0,
    }


def test_verify_ends_with_five_when_something_was_changed(sold: Context) -> None:
    with sold.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER ledger_posting_no_update")
        connection.exec_driver_sql("UPDATE ledger_posting SET party = 'organisation-9'")
    answer = ask(sold, books, "verify")
    assert answer.exit_code == 5
    assert "its content was changed after it was written" in " ".join(answer.stdout.split())


QUARTER = ("--from", "2026-01-01", "--to", "2026-03-31")


def test_the_vat_of_a_quarter_is_shown_and_agrees_with_the_account(sold: Context) -> None:
    said = read(sold, books, "vat", "Boutique", *QUARTER)
    assert isinstance(said, dict)
    (row,) = said["rows"]
    assert (row["category"], row["rate"], said["unexplained_cents"]) == ("S", "20.00 %", 0)
    assert row["invoiced_vat"] == row["vat_waiting"] == {"commodity": "EUR", "units": 167}
    assert row["vat_due"]["units"] == 0
    shown = ask(sold, books, "vat", "Boutique", *QUARTER)
    assert "It agrees with 44571." in shown.stdout


def test_vat_that_is_on_no_document_ends_with_five(sold: Context) -> None:
    with sold.session() as session:
        owner = organisations.get(session, "Boutique").id
        lines = (Line("44571", euros(-100)), Line("706", euros(100)))
        on = date(2026, 3, 31)
        posting.post(session, Entry(owner, on, "Essai", "essai", lines), on)
    shown = ask(sold, books, "vat", "Boutique", *QUARTER)
    assert shown.exit_code == 5
    assert "that is on no document" in shown.stdout


def test_a_cut_off_done_again_enters_nothing(sold: Context) -> None:
    first = read(sold, books, "cut-off", "Boutique", "--on", "2026-03-31", "--yes")
    again = read(sold, books, "cut-off", "Boutique", "--on", "2026-03-31", "--yes")
    assert isinstance(first, dict)
    assert isinstance(again, dict)
    assert first["sold"] == first["entered_sold"] == again["sold"]
    assert again["entered_sold"]["units"] == 0


@pytest.mark.parametrize(
    ("group", "words", "why"),
    [
        (plan, ["show", "gold"], "There is no plan gold"),
        (plan, ["show", "'; DROP"], "is not a code of a plan"),
        (subscription, ["show", "nobody@exemple.test"], "There is no subscription of"),
        (contract, ["add", "A", "B", *PARTS], "There is no organisation A"),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(
    context: Context, group: click.Group, words: list[str], why: str
) -> None:
    with pytest.raises(PaquetError, match=why):
        ask(context, group, *words)


@pytest.mark.parametrize("parts", ["0.5", "half"])
def test_parts_are_whole_numbers(context: Context, parts: str) -> None:
    words = ["add", "A", "B", "--supporter-parts", "1", "--from", "2026-01-01"]
    with pytest.raises(click.UsageError):
        ask(context, contract, *words, "--seller-parts", parts)


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


def test_books_that_are_closed_take_no_more_entries(sold: Context) -> None:
    would = read(sold, books, "close", "boutique", "--to", "2026-03-31", "--dry-run")
    closed = read(sold, books, "close", "boutique", "--to", "2026-03-31", "--yes")
    assert would == closed
    assert isinstance(closed, dict)
    assert (closed["entries"], closed["debits_to_date"]["units"]) == (1, 1000)
    with pytest.raises(PaquetError, match="are closed up to 2026-03-31"):
        ask(sold, books, "close", "boutique", "--to", "2026-02-28", "--yes")


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ('vat = "liable"', 'vat = "exempt"', "vat: Input should be"),
        ('colour = "#1f4e5f"', 'colour = "blue"', "colour: String should match"),
        ("payment_days = 30", "payment_days = 90", "payment_days: "),
        ('postcode = "14000"', 'postcode = "<x>"', "address, postcode: "),
        ('email = "', 'email = "@', "is not an e-mail address"),
        ("[address]", "[adress]", "address: Field required"),
    ],
)
def test_a_wrong_profile_is_refused_in_one_sentence(
    context: Context, tmp_path: Path, right: str, wrong: str, why: str
) -> None:
    file = Path(own_profile(tmp_path))
    mine = file.read_text("utf-8")
    assert right in mine
    file.write_text(mine.replace(right, wrong, 1), encoding="utf-8")
    ask(context, organisation, "add", "Boutique", "--kind", "business", "--yes")
    with pytest.raises(PaquetError, match=why):
        ask(
            context,
            organisation,
            "describe",
            "Boutique",
            str(file),
            "--from",
            "2026-01-01",
            "--yes",
        )


def test_a_profile_and_a_contract_rule_from_today_unless_a_day_is_said(
    context: Context, tmp_path: Path
) -> None:
    ask(context, organisation, "add", "Boutique", "--kind", "business", "--yes")
    ask(context, organisation, "add", "Amis", "--kind", "association", "--yes")
    ask(context, organisation, "describe", "Boutique", own_profile(tmp_path), "--yes")
    shares = ("--seller-parts", "70", "--supporter-parts", "30")
    made = read(context, contract, "add", "Boutique", "Amis", *shares, "--yes")
    assert made["from"] == DAY.isoformat()
    with context.reading() as session:
        (profile,) = session.scalars(select(OrganisationProfile))
        assert profile.valid_from == DAY


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize(
    ("group", "words"),
    [
        (invoice, ("run", "--dry-run", "--on")),
        (dunning, ("due", "Boutique", "--on")),
        (books, ("vat", "Boutique", "--to", "2026-12-31", "--from")),
        (books, ("vat", "Boutique", "--from", "2026-01-01", "--to")),
        (books, (*EXPORT, "--from", "2026-01-01", "--until")),
        (books, (*EXPORT, "--until", "2026-12-31", "--from")),
    ],
)
def test_a_day_of_another_century_is_a_slip_of_the_pen(
    sold: Context, group: click.Group, words: tuple[str, ...], day: str
) -> None:
    with pytest.raises(PaquetError, match=f"{day} cannot be"):
        ask(sold, group, *words, day)


@pytest.mark.parametrize("year", ["0", "20261231", "9" * 20, "2026-02-30"])
def test_what_is_no_year_has_no_result(sold: Context, year: str) -> None:
    with pytest.raises(click.BadParameter, match="is neither a year nor a day"):
        ask(sold, books, "allocate", "Boutique", year, "--on", "2026-03-31", "--dry-run")
