from __future__ import annotations

import json
import subprocess
from datetime import date, timedelta
from typing import TYPE_CHECKING

import click
import pytest
from sqlalchemy import func, select

from provision.commands.books.books import books
from provision.commands.commons.receipt import receipt
from provision.commands.payments.bank import bank
from provision.commands.payments.payment import payment
from provision.commands.people.subscriber import subscriber
from provision.commands.sales.invoice import invoice
from provision.commands.sales.organisation import organisation
from provision.errors import PaquetError, UsageRefused
from provision.subscriptions.commons.receipts import papers
from provision.subscriptions.documents.receipt_models import ReceiptCopy
from provision.workflows import control
from tests.integration.subscriptions import commanding
from tests.integration.subscriptions.commanding import ask, settled
from tests.integration.subscriptions.paying_shop import OURS, Said, camt

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.commands.shared.context import Context
    from provision.subscriptions.commons.receipts.papers import Copy
    from provision.subscriptions.documents.receipt_models import Receipt

DESCRIBED = f"""
name = "Les Amis du Libre"
legal = "Association loi de 1901"
email = "bonjour@exemple.test"
vat = "outside_scope"
iban = "{OURS}"
tax_receipts = true
[address]
lines = ["1 rue du Port"]
postcode = "14000"
city = "Caen"
[receipts]
registration = "RNA W142000000"
purpose = "Des services libres pour toutes et tous"
signed_by = "Camille Durand"
signed_as = "trésorière"
category = "Organisme d’intérêt général"
source = "rescrit fiscal du 12 mars 2025"
articles = ["200"]
"""
TODAY = date(2026, 11, 20)
YEAR = TODAY.year
JEANNE = ("Amis", "jeanne@exemple.test")
NEW = ("--name", "Jeanne Martin")
HOME = ("--street", "3 rue du Four", "--postcode", "61100", "--city", "Flers")
DAYS = ("--from", f"{YEAR}-01-01", "--until", f"{YEAR}-12-31")


def read(context: Context, group: click.Group, *words: str) -> list[dict[str, object]]:
    """Return what a command says in JSON, as rows."""
    found = commanding.read(context, group, *words)
    rows: list[dict[str, object]] = found if isinstance(found, list) else [found]
    return rows


def give(context: Context, *words: str) -> dict[str, object]:
    """Record a donation of 50 euros."""
    (row,) = read(context, receipt, "donation", *JEANNE, "50", *words, "--yes")
    return row


def paper(file: object) -> str:
    """Return the text of a PDF, spaces made plain."""
    command = ["pdftotext", "-layout", str(file), "-"]
    return " ".join(
        subprocess.run(command, check=True, capture_output=True).stdout.decode().split()
    )


@pytest.fixture
def context(tmp_path: Path) -> Context:
    described = tmp_path / "amis.toml"
    described.write_text(DESCRIBED, encoding="utf-8")
    made = settled(tmp_path)
    ask(made, organisation, "add", "Amis", "--kind", "association", "--yes")
    ask(made, organisation, "describe", "Amis", str(described), "--from", f"{YEAR}-01-01", "--yes")
    return made


def test_a_fee_is_looked_at_asked_written_and_written_once(context: Context) -> None:
    words = ("membership", *JEANNE, "20", "--means", "cash", *NEW, *DAYS)
    (seen,) = read(context, receipt, *words, "--dry-run")
    assert read(context, receipt, "list", "Amis") == []
    with pytest.raises(UsageRefused, match="Nobody is there to say yes"):
        ask(context, receipt, *words)
    assert read(context, receipt, *words, "--yes") == [seen]
    assert read(context, receipt, *words, "--yes") == [seen]
    (row,) = read(context, receipt, "list", "Amis")
    assert (row["number"], row["of"], row["means"]) == (f"R{YEAR}-000001", "Jeanne Martin", "cash")
    assert (row["amount"], row["until"]) == (seen["amount"], f"{YEAR}-12-31")


def test_the_first_paper_is_the_original_and_the_next_says_that_it_is_a_duplicate(
    context: Context, tmp_path: Path
) -> None:
    made = give(context, "--means", "cheque", *NEW, *HOME, "--tax", "--out", str(tmp_path / "out"))
    assert made["copy"] == "original"
    text = paper(made["file"])
    for said in (
        "Reçu au titre des dons",
        f"R{YEAR}-000001",
        "cinquante euros",
        "Jeanne Martin",
        "3 rue du Four",
        "Les Amis du Libre",
        "article 200 du code général des impôts",
        "rescrit fiscal du 12 mars 2025",
        "Mode de versement chèque",
        f"Fait à Caen, le 20 novembre {YEAR} Camille Durand trésorière Signature",
    ):
        assert said in text
    assert "Duplicata" not in text
    words = ("write", "Amis", f"r{YEAR}-000001", "--to", str(tmp_path / "out"))
    (again,) = read(context, receipt, *words, "--yes")
    assert again["copy"] == "duplicate"
    assert again["file"] != made["file"]
    assert "Duplicata : ce reçu a déjà été remis." in paper(again["file"])
    assert read(context, receipt, "list", "Amis")[0]["copies"] == 2


def test_a_cancelled_receipt_keeps_its_number_and_says_so(context: Context, tmp_path: Path) -> None:
    give(context, "--means", "cash", *NEW)
    words = ("cancel", "Amis", f"R{YEAR}-000001", "--why", "Saisi deux fois")
    ask(context, receipt, *words, "--dry-run")
    assert read(context, receipt, "list", "Amis")[0]["cancelled"] is None
    (row,) = read(context, receipt, *words, "--yes")
    assert row["cancelled"] == TODAY.isoformat()
    out = ("--out", str(tmp_path / "out"))
    assert read(context, receipt, "write", "Amis", "--since", f"{YEAR}-01-01", *out) == []
    (made,) = read(context, receipt, "write", "Amis", f"R{YEAR}-000001", *out, "--yes")
    assert made["copy"] == "cancelled"
    text = paper(made["file"])
    assert "Reçu annulé le" in text
    assert "n’est pas un reçu fiscal" in text
    assert json.loads(ask(context, books, "verify", "--json").stdout)["findings"] == []


def test_the_giver_s_language_is_that_of_the_paper(context: Context, tmp_path: Path) -> None:
    words = (*JEANNE, "20", "--means", "card", *NEW, "--language", "en", *DAYS, "--yes")
    (made,) = read(context, receipt, "membership", *words, "--out", str(tmp_path))
    text = paper(made["file"])
    assert "Membership fee receipt" in text
    assert f"from 1 January {YEAR} to 31 December {YEAR}" in text


def test_without_the_right_no_tax_receipt_and_nothing_is_written(
    context: Context, tmp_path: Path
) -> None:
    words = ("donation", "Amis", "-", "50", "--means", "cash", "--name", "Four SARL", *HOME)
    company = ("--kind", "company", "--tax", "--yes", "--out", str(tmp_path / "out"))
    with pytest.raises(UsageRefused, match="No article of Amis's lowers the tax of a company"):
        ask(context, receipt, *words, *company)
    assert (read(context, receipt, "list", "Amis"), (tmp_path / "out").exists()) == ([], False)
    assert read(context, subscriber, "list") == []


def test_somebody_new_without_an_address_is_found_by_number(context: Context) -> None:
    words = ("--means", "cash", "--yes")
    read(context, receipt, "donation", "Amis", "-", "5", "--name", "Paul", *words)
    (row,) = read(context, receipt, "list", "Amis")
    (again,) = read(context, receipt, "donation", "Amis", str(row["subscriber"]), "6", *words)
    assert again["of"] == "Paul"
    assert len(read(context, subscriber, "list")) == 1


WRONG = (
    (("nobody@exemple.test", "5"), "Nobody here has this"),
    (("99", "5", "--name", "Paul"), "Nobody here has this"),
    (("-", "5"), "Nobody here has this"),
    (("Boutique", "5"), "There is no organisation Boutique"),
    (("Amis", "5", "--name", "Paul"), "described by its profile"),
    (("-", "5", "--name", "Paul", "--city", "Caen"), "begins with a street"),
    (("-", "5", "--name", "P", "--street", "a", "--postcode", "?", "--city", "Caen"), "postcode"),
    (("-", "5", "--name", "P", "--siren", "123456789"), "wrong digit"),
    (("-", "5", "--name", "P", "--movement", "1", "--instead-of", "R1"), "Where is the money"),
    (("-", "5", "--name", "P", "--movement", "1"), "no movement 1"),
    (("-", "-5", "--name", "P"), "amount"),
    (("-", "5", "--name", "P\u202e"), "cannot be seen"),
)


def test_what_is_typed_wrong_is_said_in_one_sentence_and_nobody_is_written(
    context: Context,
) -> None:
    for words, why in WRONG:
        how = ("--means", "cash", "--yes", *words[2:])
        with pytest.raises(PaquetError, match=why):
            ask(context, receipt, "donation", *how, "--", "Amis", *words[:2])
    assert read(context, subscriber, "list") == []


def test_a_number_that_no_database_holds_is_refused(context: Context) -> None:
    huge = ("--movement", str(2**63))
    with pytest.raises(click.BadParameter, match="is not in the range"):
        ask(context, receipt, "donation", "Amis", "-", "5", "--name", "P", "--means", "card", *huge)
    with pytest.raises(click.BadParameter, match="is not in the range"):
        ask(context, payment, "match", "Amis", huge[1], "R2026-000001", "--yes")


def test_all_that_were_not_written_yet_are_written_once(context: Context, tmp_path: Path) -> None:
    for key in ("one", "two"):
        give(context, "--means", "cash", "--key", key, *NEW)
    read(context, receipt, "write", "Amis", f"R{YEAR}-000001", "--to", str(tmp_path), "--yes")
    since = ("--since", f"{YEAR}-01-01", "--to", str(tmp_path), "--yes")
    (made,) = read(context, receipt, "write", "Amis", *since)
    assert (made["file"], made["copy"]) == (str(tmp_path / f"R{YEAR}-000002.pdf"), "original")
    assert read(context, receipt, "write", "Amis", *since) == []


def test_no_writer_waits_while_receipts_are_listed_or_drawn(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("one", "two"):
        give(context, "--means", "cheque", "--key", key, *NEW)
    drawn = papers.copy
    handed_out: list[int] = []

    def looked_at(session: Session, one: Receipt) -> Copy:
        with context.session() as writer:
            handed_out.append(writer.scalar(select(func.count()).select_from(ReceiptCopy)) or 0)
        return drawn(session, one)

    monkeypatch.setattr(papers, "copy", looked_at)
    with context.session():
        assert len(read(context, receipt, "list", "Amis")) == 2
        assert len(read(context, payment, "awaited", "Amis")) == 2
        assert read(context, invoice, "deposits") == []
    read(
        context,
        receipt,
        "write",
        "Amis",
        "--since",
        f"{YEAR}-01-01",
        "--to",
        str(tmp_path),
        "--yes",
    )
    assert handed_out == [0, 1]


def test_a_copy_that_somebody_else_wrote_at_the_same_moment_is_thrown_away(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(context, "--means", "cash", *NEW)
    words = ("write", "Amis", f"R{YEAR}-000001", "--to", str(tmp_path / "out"), "--yes")
    drawn = papers.copy

    def too_late(session: Session, one: Receipt) -> Copy:
        made = drawn(session, one)
        with context.session() as other:
            papers.hand_out(other, one, made, TODAY)
        return made

    monkeypatch.setattr(papers, "copy", too_late)
    with pytest.raises(UsageRefused, match="at the same moment"):
        ask(context, receipt, *words)
    assert not (tmp_path / "out").exists()


def test_a_fee_typed_again_on_another_day_is_written_once(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("membership", *JEANNE, "20", "--means", "cash", *NEW, *DAYS, "--yes")
    made = read(context, receipt, *words)
    tomorrow = TODAY + timedelta(days=1)
    monkeypatch.setattr(control.Control, "today", lambda _control: tomorrow)
    assert read(context, receipt, *words) == made
    assert len(read(context, receipt, "list", "Amis")) == 1


def test_which_receipts_must_be_said(context: Context, tmp_path: Path) -> None:
    with pytest.raises(UsageRefused, match="Which receipts"):
        ask(context, receipt, "write", "Amis", "--out", str(tmp_path))
    with pytest.raises(UsageRefused, match="has no receipt R2026-000009"):
        ask(context, receipt, "write", "Amis", "R2026-000009", "--out", str(tmp_path))


def test_what_the_bank_has_not_shown_is_awaited_and_matched(
    context: Context, tmp_path: Path
) -> None:
    give(context, "--means", "cheque", *NEW)
    (row,) = read(context, payment, "awaited", "Amis")
    assert (row["what"], row["on"]) == (f"R{YEAR}-000001", "Chèques à encaisser")
    file = tmp_path / "releve.xml"
    file.write_bytes(camt(1, TODAY, 0, [Said(5_000, text="REMISE"), Said(700, text="Don")]))
    ask(context, bank, "import", "Amis", str(file), "--yes")
    seen = read(context, payment, "reconcile", "Amis")
    (banked,) = read(
        context, payment, "match", "Amis", str(seen[0]["movement"]), f"R{YEAR}-000001", "--yes"
    )
    assert (banked["banked"], banked["amount"]) == (row["what"], row["amount"])
    movement = ("--movement", str(seen[1]["movement"]), "--means", "transfer", "--yes")
    read(context, receipt, "donation", *JEANNE, "7", *movement)
    assert read(context, payment, "awaited", "Amis") == []
    assert read(context, payment, "reconcile", "Amis") == []
    assert "Nothing is awaited." in ask(context, payment, "awaited", "Amis").stdout


def test_cheques_are_taken_to_a_bank_without_statements(context: Context) -> None:
    give(context, "--means", "cheque", *NEW)
    words = ("remit", "Amis", f"R{YEAR}-000001")
    read(context, payment, *words, "--dry-run")
    assert len(read(context, payment, "awaited", "Amis")) == 1
    read(context, payment, *words, "--yes")
    assert read(context, payment, "awaited", "Amis") == []
