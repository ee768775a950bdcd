from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from provision.commands.books.books import books
from provision.commands.payments.bank import bank
from provision.commands.payments.dunning import dunning
from provision.commands.payments.mandate import mandate
from provision.commands.payments.payment import payment
from provision.commands.sales.invoice import invoice
from provision.commands.sales.organisation import organisation
from provision.errors import PaquetError, UsageRefused
from provision.formats.sepa.target_days import first_open_day
from provision.subscriptions.dunning import reminders
from provision.subscriptions.offers import plans
from provision.subscriptions.parties import organisations
from provision.subscriptions.selling import opening
from provision.subscriptions.selling.opening import Sale
from tests.integration.subscriptions.boutique_shop import with_a_contract
from tests.integration.subscriptions.commanding import ask, read, settled
from tests.integration.subscriptions.conftest import newcomer
from tests.integration.subscriptions.paying_shop import CREDITOR, OURS, THEIRS, Said, camt

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context


DESCRIBED = f"""
name = "Boutique"
legal = "Boutique SARL"
email = "bonjour@exemple.test"
vat = "liable"
vat_id = "FR44732829320"
iban = "{OURS}"
bic = "PSSTFRPPXXX"
creditor_identifier = "{CREDITOR}"
payment_days = 10
[address]
lines = ["1 rue du Port"]
postcode = "14000"
city = "Caen"
"""
TODAY = date(2026, 11, 20)
BEGAN = TODAY - timedelta(days=25)
RUM = "BOUTIQUE-000001"


@pytest.fixture
def sold(tmp_path: Path) -> Context:
    """A registry in which Jeanne owes an invoice, with a signed mandate, all by commands."""
    described = tmp_path / "boutique.toml"
    described.write_text(DESCRIBED, encoding="utf-8")
    context, first = settled(tmp_path), BEGAN.isoformat()
    with_a_contract(context, first)
    ask(context, organisation, "describe", "Boutique", str(described), "--from", first, "--yes")
    with context.session() as session:
        jeanne = newcomer(session, "Jeanne")
        seller = organisations.get(session, "Boutique")
        sale = Sale(plans.get(session, "famille"), seller, organisations.get(session, "Les Amis"))
        opening.open_subscription(session, jeanne, sale, today=BEGAN)
    ask(context, invoice, "run", "--on", first, "--yes")
    ask(context, mandate, "add", "Boutique", "jeanne@exemple.test", "--yes")
    ask(context, mandate, "sign", "Boutique", RUM, "--on", first, "--iban", THEIRS, "--yes")
    return context


def number(context: Context) -> str:
    return str(read(context, invoice, "list")[0]["number"])


def bank_says(context: Context, folder: Path, *said: Said) -> None:
    file = folder / "releve.xml"
    file.write_bytes(camt(1, TODAY, 100_000, said))
    ask(context, bank, "import", "Boutique", str(file), "--yes")


def test_a_mandate_is_listed_with_its_account_masked_and_revoked(
    sold: Context, tmp_path: Path
) -> None:
    (row,) = read(sold, mandate, "list", "Boutique")
    assert (row["reference"], row["account"]) == (RUM, "FR76 … 0189")
    ask(sold, mandate, "form", "Boutique", RUM, "--to", str(tmp_path / "mandat.pdf"), "--yes")
    assert (tmp_path / "mandat.pdf").read_bytes().startswith(b"%PDF-")
    ask(sold, mandate, "revoke", "Boutique", RUM, "--why", "Asked for it", "--yes")
    (row,) = read(sold, mandate, "list", "Boutique")
    assert (row["ended"], row["why"]) == (TODAY.isoformat(), "Asked for it")
    with pytest.raises(UsageRefused, match="has no mandate"):
        ask(sold, mandate, "revoke", "Boutique", "X", "--why", "No", "--yes")


def test_a_folder_with_another_list_of_letters_is_refused_before_anything_is_made(
    sold: Context, tmp_path: Path
) -> None:
    (tmp_path / "letters.csv").write_text("mine\n", encoding="utf-8")
    on = first_open_day(TODAY + timedelta(days=20)).isoformat()
    words = ("Boutique", "--on", on, "--to", str(tmp_path), "--yes")
    with pytest.raises(PaquetError, match=r"letters\.csv is not a list of letters"):
        ask(sold, payment, "collect", *words, "--yes")
    assert json.loads(ask(sold, payment, "list", "Boutique", "--json").stdout)["collections"] == []


def test_a_collection_is_looked_at_made_once_and_answered(sold: Context, tmp_path: Path) -> None:
    on = first_open_day(TODAY + timedelta(days=20)).isoformat()
    words = ("Boutique", "--on", on, "--to", str(tmp_path / "sepa"))
    (planned,) = read(sold, payment, "collect", *words, "--dry-run")
    assert (planned["invoice"], planned["mandate"]) == (number(sold), RUM)
    assert not (tmp_path / "sepa").exists()
    with pytest.raises(UsageRefused, match="Nobody is there to say yes"):
        ask(sold, payment, "collect", *words)
    (made,) = read(sold, payment, "collect", *words, "--yes")
    first = (tmp_path / "sepa" / str(made["file"])).read_bytes()
    (again,) = read(sold, payment, "collect", *words, "--yes")
    assert (again, (tmp_path / "sepa" / str(made["file"])).read_bytes()) == (made, first)
    later = first_open_day(TODAY + timedelta(days=40)).isoformat()
    with pytest.raises(UsageRefused, match="is of"):
        ask(sold, payment, "collect", "Boutique", "--on", later, "--to", "x", "--key", on, "--yes")
    listed = json.loads(ask(sold, payment, "list", "Boutique", "--json").stdout)
    (waiting,) = listed["waiting"]
    assert (waiting["debits_waiting"], len(listed["collections"])) == (1, 1)
    bank_says(sold, tmp_path, Said(1000, text=f"REMISE {waiting['message']}"))
    (booked,) = read(sold, payment, "reconcile", "Boutique", "--accept-certain", "--yes")
    assert booked["booked"] is True
    assert read(sold, payment, "reconcile", "Boutique") == []
    assert ask(sold, books, "verify").exit_code == 0


def test_a_cheque_is_taken_back_by_its_number(sold: Context) -> None:
    name = number(sold)
    (owed,) = read(sold, invoice, "list")
    (paid,) = read(sold, payment, "record", "Boutique", name, "1", "--cheque", "12", "--yes")
    words = ("unpaid", "Boutique", "cheque-12", "--why", "Sans provision")
    seen = read(sold, payment, *words, "--dry-run")
    assert (seen["invoice"], seen["amount"], seen["cheque"]) == (name, paid["paid"], "cheque-12")
    assert read(sold, payment, *words, "--yes") == seen
    assert read(sold, invoice, "list") == [owed]
    with pytest.raises(UsageRefused, match="is taken back already"):
        ask(sold, payment, *words, "--yes")
    assert ask(sold, books, "verify").exit_code == 0


def test_a_movement_is_parked_matched_and_shown(sold: Context, tmp_path: Path) -> None:
    bank_says(
        sold, tmp_path, Said(1500, text="merci", name="Tante Marie"), Said(-290, text="frais")
    )
    (listed,) = read(sold, bank, "list", "Boutique")
    rows = read(sold, bank, "show", "Boutique", str(listed["statement"]))
    assert [row["movement"] for row in rows] == [1, 2]
    ask(sold, payment, "park", "Boutique", "2", "--fee", "--why", "Monthly fee", "--yes")
    ask(sold, payment, "park", "Boutique", "1", "--why", "Who is Marie?", "--yes")
    (seen,) = read(sold, payment, "reconcile", "Boutique")
    assert (seen["movement"], seen["parked"]) == (1, True)
    (paid,) = read(sold, payment, "match", "Boutique", "1", number(sold), "--yes")
    assert paid == {"invoice": number(sold), "paid": {"commodity": "EUR", "units": 1000}}
    with pytest.raises(UsageRefused, match="is booked already"):
        ask(sold, payment, "park", "Boutique", "1", "--why", "Again", "--yes")
    with pytest.raises(UsageRefused, match="There is no movement 3"):
        ask(sold, payment, "park", "Boutique", "3", "--why", "None", "--yes")
    assert ask(sold, books, "verify").exit_code == 0


def test_a_dry_import_keeps_nothing_and_a_second_one_says_so(sold: Context, tmp_path: Path) -> None:
    file = tmp_path / "releve.xml"
    file.write_bytes(camt(1, TODAY, 100_000, [Said(1000)]))
    assert len(read(sold, bank, "import", "Boutique", str(file), "--dry-run")) == 1
    assert read(sold, bank, "list", "Boutique") == []
    ask(sold, bank, "import", "Boutique", str(file), "--yes")
    said = ask(sold, bank, "import", "Boutique", str(file), "--yes").stdout
    assert "1 of them were known already" in said


def test_cash_pays_and_a_loss_is_looked_at_first(sold: Context) -> None:
    words = ("Boutique", number(sold))
    with pytest.raises(UsageRefused, match="How was it paid"):
        ask(sold, payment, "record", *words, "4,00", "--yes")
    ask(sold, payment, "record", *words, "4,00", "--slip", "R-1", "--yes")
    (planned,) = read(sold, payment, "write-off", *words, "--why", "Moved away", "--dry-run")
    assert planned["lost"] == {"commodity": "EUR", "units": 600}
    assert planned["vat_back"] == {"commodity": "EUR", "units": 100}
    ask(sold, payment, "write-off", *words, "--why", "Moved away", "--yes")
    with pytest.raises(UsageRefused, match="Nothing is open"):
        ask(sold, payment, "write-off", *words, "--why", "Again", "--yes")
    assert ask(sold, books, "verify").exit_code == 0


def test_the_slip_of_cash_was_called_a_receipt_before(sold: Context) -> None:
    words = ("record", "Boutique", number(sold), "4,00")
    assert "--receipt" not in ask(sold, payment, "record", "--help").stdout
    said = ask(sold, payment, *words, "--receipt", "R-1", "--json", "--yes")
    assert said.stderr == "`--receipt` is now `--slip`.\n"
    with pytest.raises(UsageRefused, match="R-1"):
        ask(sold, payment, *words, "--slip", "R-1", "--yes")


def test_a_refund_says_what_it_pays_back(sold: Context, tmp_path: Path) -> None:
    bank_says(sold, tmp_path, Said(1500), Said(-500))
    ask(sold, payment, "match", "Boutique", "1", number(sold), "--yes")
    with pytest.raises(UsageRefused, match="What was paid back"):
        ask(sold, payment, "refund", "Boutique", "2", "--yes")
    with pytest.raises(UsageRefused, match="is not a credit note"):
        ask(sold, payment, "refund", "Boutique", "2", number(sold), "--yes")
    words = ("--credit-of", "jeanne@exemple.test")
    (back,) = read(sold, payment, "refund", "Boutique", "2", *words, "--yes")
    assert back["paid_back"] == {"commodity": "EUR", "units": 500}


def test_reminders_are_shown_paused_and_run(sold: Context, tmp_path: Path) -> None:
    (row,) = read(sold, dunning, "due", "Boutique")
    assert (row["step"], row["who"], row["held"]) == ("notice", "jeanne@exemple.test", "")
    jeanne = ("Boutique", "jeanne@exemple.test")
    ask(sold, dunning, "pause", *jeanne, "--why", "Is on a journey", "--yes")
    assert read(sold, dunning, "due", "Boutique")[0]["held"] == "Paused: Is on a journey"
    ask(sold, dunning, "resume", *jeanne, "--yes")
    ask(sold, dunning, "mark", *jeanne, "fraud", "--why", "False name", "--yes")
    assert "fraud" in str(read(sold, dunning, "due", "Boutique")[0]["held"])
    ask(sold, dunning, "mark", *jeanne, "none", "--why", "A mistake", "--yes")
    letters, tomorrow = str(tmp_path / "letters"), (TODAY + timedelta(days=1)).isoformat()
    with pytest.raises(UsageRefused, match="is not yet"):
        ask(sold, dunning, "run", "Boutique", "--to", letters, "--on", tomorrow, "--yes")
    with pytest.raises(UsageRefused, match="Nobody is there to say yes"):
        ask(sold, dunning, "run", "Boutique", "--to", letters)
    due = read(sold, dunning, "due", "Boutique")
    assert read(sold, dunning, "run", "Boutique", "--to", letters, "--dry-run") == due
    assert not (tmp_path / "letters").exists()
    (done,) = read(sold, dunning, "run", "Boutique", "--to", letters, "--yes")
    assert (done["step"], done["refused"]) == ("notice", "")
    asked = ask(sold, dunning, "run", "Boutique", "--to", letters)
    assert asked.stdout == "Nobody is to be reminded.\n"
    listed = json.loads(ask(sold, dunning, "list", "Boutique", "--json").stdout)
    assert [one["step"] for one in listed["steps"]] == ["notice"]
    assert len(listed["pauses"]) == 1


def test_who_is_reminded_is_worked_out_once_where_nobody_is_asked(
    sold: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = Mock(wraps=reminders.overdue)
    monkeypatch.setattr(reminders, "overdue", looked)
    read(sold, dunning, "run", "Boutique", "--to", str(tmp_path / "letters"), "--yes")
    assert looked.call_count == 1


def test_a_policy_of_ones_own_is_read_strictly(sold: Context, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[person]\nnotice = 1\n", encoding="utf-8")
    with pytest.raises(PaquetError, match="company"):
        ask(sold, dunning, "due", "Boutique", "--policy", str(mine))
