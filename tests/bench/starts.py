"""`make bench`: the processor time that a command takes to start, beside that of click alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import click

from provision import database
from provision.migrations import upgrades
from provision.registry import fences, orders
from provision.registry.orders import DkimKey, Wish
from provision.registry.states import Told
from provision.subscriptions.documents import describing
from provision.subscriptions.offers import contracts, planfile, plans
from provision.subscriptions.parties import organisations
from provision.subscriptions.parties.profiles import Address, Profile
from provision.subscriptions.selling import billing, opening
from provision.subscriptions.selling.opening import Sale
from provision.workflows import onboard

RUNS = 5
START = date(2026, 1, 1)
HELP_TIMES_CLICK = 4
AIMS = {
    ("--help",): None,
    ("--version",): None,
    ("order", "show", "1"): 0.9,
    ("order", "list"): 0.9,
    ("bundle", "list"): 0.9,
    ("invoice", "list"): 1.1,
}
WISH = Wish(
    email="jeanne@paquet.test",
    name="Jeanne",
    login="jeanne",
    language="fr",
    plan="famille",
    domain="jeanne.paquet.test",
    cloud="light",
    cloud_version="3",
    server="bundles1",
    backup_server="backup1",
    sold_by="Les Amis",
    supported_by="Les Amis",
    device="Jeanne's phone",
    kind="android",
    quota_bytes=10**9,
)
PLAN = """
[[plan]]
code = "famille"
name = { fr = "Famille", en = "Family" }
users = 5
quota_gib = 100
[[plan.price]]
from = 2026-01-01
monthly = "10.00"
"""
SETTINGS = """
[operator]
name = "Les Amis"
zone = "paquet.test"
language = "fr"
contact = "aide@paquet.test"
[registry]
url = "{url}"
"""


def processor_seconds(*command: str) -> float:
    """Return the least time of the processor that a command took, user's and system's."""
    found = []
    for _ in range(RUNS):
        before = os.times()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        found.append(
            after.children_user
            + after.children_system
            - before.children_user
            - before.children_system
        )
    return min(found)


def one_customer(folder: Path) -> Path:
    """Write settings, and a registry with an order and an invoice; return the settings."""
    url = f"sqlite:///{folder}/paquet.db"
    (folder / "paquet.toml").write_text(SETTINGS.format(url=url), encoding="utf-8")
    engine = database.connect(url)
    upgrades.upgrade(engine)
    with database.transaction(engine) as session:
        seller = organisations.add(session, "Les Amis", "association")
        where = Address(lines=("1 rue du Port",), postcode="14000", city="Caen")
        profile = Profile(
            name="Les Amis",
            legal="Association, Caen",
            address=where,
            email="aide@paquet.test",
            vat="association_accessory",
        )
        describing.describe(session, seller, profile, START)
        plans.bring_in(session, planfile.parse(PLAN))
        contracts.alone(session, seller, START)
        fences.known_server(session, "bundles1")
        key, told = DkimKey("2026", "key"), Told("bench", datetime(2026, 1, 1, tzinfo=UTC))
        order = orders.place(session, WISH, dkim=key, steps=onboard.STEPS, told=told)
        sale = Sale(plans.get(session, "famille"), seller, seller)
        opening.open_subscription(session, order.subscriber, sale, today=START)
    billing.bill(engine, START)
    engine.dispose()
    return folder / "paquet.toml"


def main() -> None:
    """Measure each start and print it beside its aim."""
    click_alone = processor_seconds(sys.executable, "-c", "import click")
    click.echo(f"{'import click':<24}{click_alone:6.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        settings = one_customer(Path(folder))
        paquet = str(Path(sys.executable).with_name("paquet"))
        for words, aim in AIMS.items():
            took = processor_seconds(paquet, "--config", str(settings), *words)
            most = aim or HELP_TIMES_CLICK * click_alone
            click.echo(f"{'paquet ' + ' '.join(words):<24}{took:6.2f} s   aim {most:.2f} s")


if __name__ == "__main__":
    main()
