"""What writes money down, or files, is looked at first with --dry-run, and nothing is touched."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import MetaData, select

from provision.commands.books.books import books
from provision.commands.books.report import report
from provision.commands.books.settlement import settlement
from provision.commands.payments.bank import bank
from provision.commands.payments.dunning import dunning
from provision.commands.payments.mandate import mandate
from provision.commands.payments.payment import payment
from provision.commands.people.privacy import privacy
from provision.commands.people.subscriber import subscriber
from provision.commands.sales.invoice import invoice
from provision.errors import UsageRefused
from provision.formats.sepa.target_days import first_open_day
from provision.subscriptions.documents import describing
from provision.subscriptions.parties import organisations
from tests.integration.subscriptions.commanding import ask, opened, selling
from tests.integration.subscriptions.conftest import at_noon, profile
from tests.integration.subscriptions.paying_shop import CREDITOR, OURS, THEIRS, Said, camt

if TYPE_CHECKING:
    from pathlib import Path

    import click

    from provision.commands.shared.context import Context

TODAY = date(2026, 3, 5)
SHOP, FRIENDS = "Boutique Libre", "Les Amis du Libre"
JEANNE, PAUL, MARIE, LOUISE = (
    f"{name}@exemple.test" for name in ("jeanne", "paul", "marie", "louise")
)
THIRD = "F2026-000003"  # Marie's invoice
SOON, LATER = (str(first_open_day(TODAY + timedelta(days=days))) for days in (20, 40))
OWN: dict[str, Any] = {"iban": OURS, "creditor_identifier": CREDITOR, "payment_days": 10}
WHY, TO = ("--why", "Parce que"), ("--to", "written")
FEBRUARY = ("--until", "2026-02-28")
MANDATE = ("--by", "Bureau", "--from", "2026-03-01")
pytestmark = pytest.mark.usefixtures("noon")
WRITERS: tuple[tuple[click.Group, tuple[str, ...]], ...] = (
    (mandate, ("add", SHOP, JEANNE)),
    (mandate, ("sign", SHOP, "RUM-5", "--on", "2026-03-01", "--iban", THEIRS)),
    (mandate, ("complete", SHOP, "RUM-1", "--town", "Monaco")),
    (mandate, ("revoke", SHOP, "RUM-1", *WHY)),
    (mandate, ("form", SHOP, "RUM-1", *TO)),
    (payment, ("collect", SHOP, "--on", LATER, *TO)),
    (payment, ("collect", SHOP, "--on", SOON, *TO)),  # it is made already
    (payment, ("reconcile", SHOP, "--accept-certain")),
    (payment, ("match", SHOP, "2", THIRD)),
    (payment, ("return", SHOP, "3", "F2026-1-1")),
    (payment, ("refuse", SHOP, "F2026-2-1", *WHY)),
    (payment, ("park", SHOP, "2", *WHY)),
    (payment, ("park", SHOP, "4", "--fee", *WHY)),
    (payment, ("record", SHOP, THIRD, "1,00", "--slip", "R-1")),
    (payment, ("unpaid", SHOP, "cheque-12", *WHY)),
    (payment, ("refund", SHOP, "4", "--credit-of", LOUISE)),
    (payment, ("write-off", SHOP, THIRD, *WHY)),
    (bank, ("import", SHOP, "next.xml")),
    (dunning, ("pause", SHOP, JEANNE, *WHY)),
    (dunning, ("resume", SHOP, PAUL)),
    (dunning, ("mark", SHOP, JEANNE, "fraud", *WHY)),
    (books, ("cut-off", SHOP, "--on", "2026-02-28")),
    (books, ("close", SHOP, "--to", "2026-02-28")),
    (books, ("export", SHOP, "--format", "csv", "--from", "2026-01-01", *FEBRUARY, *TO)),
    (settlement, ("make",)),
    (settlement, ("mandate", "give", FRIENDS, SHOP, *MANDATE)),
    (report, ("csv", *FEBRUARY, *TO)),
    (report, ("page", *FEBRUARY, *TO)),
    (subscriber, ("export", JEANNE, *TO)),
    (subscriber, ("erase", JEANNE, *WHY)),
    (privacy, ("register", "--write", "written.txt")),
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Context, Path]:
    """Jeanne paid by debit, Paul's debit waits, Marie gave a cheque, Louise has a credit."""
    folder = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        at_noon(patch, TODAY)
        made = selling(folder)
        with made.session() as session:
            owner = organisations.get(session, SHOP)
            own = profile(SHOP, **OWN)
            describing.describe(session, owner, own, date(2026, 1, 2))
        for number, email in enumerate((JEANNE, PAUL, MARIE, LOUISE), start=1):
            debited(made, number, email, folder)
        ask(made, mandate, "add", SHOP, MARIE, "--reference", "RUM-5", "--yes")
        ask(made, payment, "record", SHOP, THIRD, "1", "--cheque", "12", "--yes")
        ask(made, dunning, "pause", SHOP, PAUL, *WHY, "--yes")
        first, second = messages(made)
        said = [
            Said(1000, text=f"REMISE {first}"),
            Said(1500, text="merci"),
            Said(-1000, text="rejet"),
            Said(-250, text="frais"),
            Said(1000, text=f"REMISE {second}"),
            Said(1250, text="trop"),
        ]
        (folder / "bank.xml").write_bytes(camt(1, TODAY, 100_000, said))
        ask(made, bank, "import", SHOP, str(folder / "bank.xml"), "--yes")
        ask(made, payment, "match", SHOP, "1", first, "--yes")
        ask(made, payment, "match", SHOP, "6", "F2026-000004", "--yes")
        (folder / "next.xml").write_bytes(camt(2, TODAY, 103_500, [Said(100, text="encore")]))
    return made, folder


def debited(made: Context, number: int, email: str, folder: Path) -> None:
    """Sell to somebody and bill it; have the invoices of two debited."""
    if email != JEANNE:
        opened(made, email.partition("@")[0])
    ask(made, invoice, "run", "--yes")
    ask(made, mandate, "add", SHOP, email, "--reference", f"RUM-{number}", "--yes")
    signed = ("--on", "2026-01-20", "--iban", THEIRS, "--yes")
    ask(made, mandate, "sign", SHOP, f"RUM-{number}", *signed)
    if email in {JEANNE, PAUL}:
        words = ("--on", SOON, "--key", email, "--to", str(folder / "sepa"), "--yes")
        ask(made, payment, "collect", SHOP, *words)


def messages(made: Context) -> list[str]:
    """Return how the bank names the files that it was given, the first one first."""
    waiting = json.loads(ask(made, payment, "list", SHOP, "--json").stdout)["waiting"]
    return [one["message"] for one in sorted(waiting, key=lambda one: one["collection"])]


def held(context: Context, folder: Path) -> dict[str, str]:
    """Return what every table of the registry holds, and digests of the files beside it."""
    found = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("paquet.db")
    }
    there = MetaData()
    with context.reading() as session:
        there.reflect(session.connection())
        for table in there.sorted_tables:
            found[table.name] = "\n".join(sorted(map(repr, session.execute(select(table)))))
    return found


@pytest.mark.parametrize(("group", "words"), WRITERS)
def test_what_is_looked_at_or_not_agreed_to_touches_nothing(
    shop: tuple[Context, Path],
    monkeypatch: pytest.MonkeyPatch,
    group: click.Group,
    words: tuple[str, ...],
) -> None:
    context, folder = shop
    monkeypatch.chdir(folder)
    before = held(context, folder)
    shown = ask(context, group, *words, "--dry-run")
    assert (shown.exit_code, bool(shown.stdout.strip())) == (0, True)
    with pytest.raises(UsageRefused, match="Nobody is there to say yes"):
        ask(context, group, *words)
    assert held(context, folder) == before
