"""Whoever writes shows first: a dry run touches nothing, and nothing is done without a yes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision import shipped
from provision.commands.commons.debt import debt
from provision.commands.commons.exchange import exchange
from provision.commands.commons.fund import fund
from provision.commands.commons.hours import hours
from provision.commands.commons.reciprocity import reciprocity
from provision.commands.sales.contract import contract
from provision.commands.sales.invoice import invoice
from provision.commands.sales.organisation import organisation
from provision.commands.sales.plan import plan
from provision.commands.sales.subscription import subscription
from provision.errors import UsageRefused
from provision.workflows import control
from tests.integration.subscriptions.commanding import FIRM, SOLD, ask, own_profile, selling

if TYPE_CHECKING:
    from pathlib import Path

    import click

    from provision.commands.shared.context import Context

TODAY = date(2026, 3, 10)
SHOP, FRIENDS = "Boutique Libre", "Les Amis du Libre"
JEANNE, PAUL = "jeanne@exemple.test", "paul@exemple.test"


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A business that sells with an association, and Jeanne, who subscribed on 10 March 2026."""
    monkeypatch.setattr(control.Control, "today", lambda _control: TODAY)
    return selling(tmp_path)


def held(folder: Path) -> list[str]:
    """Return all that the registry holds, as SQL, and every file beside it."""
    beside = [str(path) for path in sorted(folder.rglob("*")) if "paquet.db" not in path.name]
    with closing(sqlite3.connect(folder / "paquet.db")) as registry:
        return [*beside, *registry.iterdump()]


def look_first(context: Context, group: click.Group, *words: str) -> None:
    """Look, be refused without a yes, and do it: only the last of them writes."""
    folder = context.config.parent
    before = held(folder)
    ask(context, group, *words, "--dry-run")
    assert held(folder) == before, words
    with pytest.raises(UsageRefused, match="Nobody is there to say yes"):
        ask(context, group, *words)
    assert held(folder) == before, words
    ask(context, group, *words, "--yes")
    assert held(folder) != before, words


def test_whoever_sells_looks_first(context: Context, tmp_path: Path) -> None:
    letters = tmp_path / "letters"
    letters.mkdir()
    written = tmp_path / "contract.toml"
    example = shipped.share("templates") / "contract.example.toml"
    text = example.read_text("utf-8").replace("\nfrom = 2026-01-01", "\nfrom = 2026-05-01")
    written.write_text(text, "utf-8")
    plans = tmp_path / "plans.toml"
    text = (shipped.share("templates") / "plans.example.toml").read_text("utf-8")
    plans.write_text(text.replace('"famille"', '"foyer"'), "utf-8")
    shares = ("--seller-parts", "60", "--supporter-parts", "40", "--from", "2026-04-01")
    since = ("--by", SHOP, "--since", "2026-01-01", "--to")
    for group, *words in (
        (organisation, "add", "Un de plus", "--kind", "business"),
        (organisation, "identify", FRIENDS, "--siren", "552 100 554"),
        (organisation, "describe", "Un de plus", own_profile(tmp_path)),
        (plan, "import", str(plans)),
        (contract, "add", SHOP, FRIENDS, *shares),
        (contract, "import", str(written)),
        (contract, "add", FRIENDS, "--from", "2026-01-01"),
        (subscription, "open", PAUL, "--name", "Paul", *SOLD, *FIRM),
        (subscription, "open", "lea@exemple.test", "--name", "Léa", "--term", "yearly", *SOLD),
        (subscription, "discount", "1", "10", "--reason", "bienvenue"),
        (invoice, "run"),
        (invoice, "write", *since, str(tmp_path / "papers")),
        (invoice, "drop", *since, str(tmp_path / "outbox")),
        (subscription, "identify", JEANNE, "--name", "Jeanne Martin"),
        (invoice, "correct", "F2026-000001", "--by", SHOP),
        (subscription, "change", "1", "--users", "7"),
        (subscription, "change", "1", "--sold-by", FRIENDS, "--from", "2026-03-15"),
        (invoice, "deposit", "1", "--amount", "30"),
        (subscription, "credit", SHOP, "F2026-000002", "--amount", "1", "--reason", "panne"),
        (subscription, "cancel", "1", "--last-day", "2026-03-20", "--reason", "x"),
        (subscription, "keep", "1"),
        (subscription, "withdraw", "1"),
        (subscription, "notices", "--on", "2026-12-15", "--write", str(letters)),
    ):
        look_first(context, group, *words)


def test_whoever_holds_in_common_looks_first(context: Context) -> None:
    ask(context, invoice, "run", "--yes")
    decided = ("--by", "AG", "--purpose", "Un repas", "--for", JEANNE)
    meant = ("--basis-points", "300", "--from", "2026-01-01", "--contract", "AG 2026")
    for group, *words in (
        (fund, "add", "Pot commun", "--kind", "commons", "--custodian", FRIENDS, "--decider", "AG"),
        (fund, "decide", "Pot commun", "10", *decided),
        (hours, "give", SHOP, "2:00", "--for", "Ménage", "--by", JEANNE),
        (hours, "value", SHOP, "35", "--from", "2026-03-01"),
        (debt, "record", SHOP, "100", "--to", JEANNE, "--for", "Le logo", "--minutes", "AG 2026"),
        (debt, "pay", "1", "40"),
        (reciprocity, "add", SHOP, FRIENDS, *meant),
        (reciprocity, "give", SHOP, FRIENDS, "30"),
        (exchange, "add-currency", "MLCROLLON", "Le Rollon", "--issuer", FRIENDS),
        (exchange, "local", SHOP, "F2026-000001", "2", "MLCROLLON"),
        (exchange, "hours", SHOP, "F2026-000001", "0:06"),
        (exchange, "agree", SHOP, JEANNE, "3", "Pots de miel", "--each", "1"),
        (exchange, "deliver", "1", "F2026-000001", "1"),
    ):
        look_first(context, group, *words)
