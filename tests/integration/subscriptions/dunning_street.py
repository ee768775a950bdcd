"""Jeanne, who has a bundle and does not pay, in a street without servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from provision import settings
from provision.registry import fences, orders, secrets
from provision.registry.orders import DkimKey, Wish
from provision.registry.secrets import open_safe
from provision.subscriptions.documents import open_items
from provision.subscriptions.dunning import policy
from provision.subscriptions.payments import paying
from provision.subscriptions.selling import opening
from provision.workflows import dunning, plays, reminding
from provision.workflows.control import Control
from provision.workflows.dunning import Campaign
from tests.integration.subscriptions.conftest import START
from tests.integration.subscriptions.paying_shop import TOLD, Said, open_till

if TYPE_CHECKING:
    from datetime import date

    import pytest
    from sqlalchemy import Engine

    from provision.registry.models import Bundle
    from provision.servers.play import Play
    from provision.subscriptions.dunning.policy import Policy
    from provision.subscriptions.selling.models import Subscription
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Till

RULES = Path(__file__).parents[3] / "templates/money/dunning.example.toml"
SELLER = "Boutique Libre"
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
SETTINGS = """
[operator]
name = "Les Amis"
zone = "paquet.test"
language = "fr"
contact = "aide@paquet.test"
"""
INVENTORY = """
all:
  children:
    bundles:
      hosts:
        bundles1:
          ansible_host: 198.51.100.10
          server_name: bundles1.exemple.test
          backup_server: backup1
    backup:
      hosts:
        backup1:
          ansible_host: 198.51.100.20
          server_name: backup1.exemple.test
"""
WISH = Wish(
    email="jeanne@exemple.test",
    name="Jeanne",
    login="jeanne",
    language="fr",
    plan="famille",
    domain="jeanne.paquet.test",
    cloud="light",
    cloud_version="",
    server="bundles1",
    backup_server="backup1",
    sold_by=SELLER,
    supported_by="Les Amis du Libre",
    device="Téléphone",
    kind="android",
    quota_bytes=1 << 30,
)


@dataclass
class Street:
    """Jeanne has a bundle and an unpaid invoice; only the servers are not there."""

    till: Till
    control: Control
    folder: Path
    played: list[Play] = field(default_factory=list)

    @property
    def rules(self) -> Policy:
        return policy.read(RULES)

    def day(self, days: int) -> date:
        """Return the day so many days after the due date."""
        return START + timedelta(days=30 + days)

    def due(self, days: int) -> list[tuple[str, str]]:
        """Return the steps of a day, and why they are held."""
        self.till.session.commit()
        found = reminding.due(self.control, SELLER, self.rules, self.day(days))
        return [(one.step, one.held) for one in found.reminders]

    def run(self, days: int) -> list[tuple[str, str]]:
        """Run a day; return the steps that were taken, and why they were not."""
        self.till.session.commit()
        campaign = Campaign(SELLER, self.rules, self.day(days), self.folder)
        return [(one.step, one.refused) for one in dunning.run(self.control, campaign)]

    def bundle(self) -> Bundle:
        self.till.session.rollback()
        self.till.session.expire_all()
        return orders.get(self.till.session, 1).bundle

    def subscription(self) -> Subscription:
        """Return the subscription of the order as it is now."""
        self.bundle()
        found = opening.of_order(self.till.session, 1)
        assert found is not None
        return found

    def states(self) -> list[object]:
        """Return the states that servers were asked to bring about."""
        return [dict(play.variables["bundle"])["state"] for play in self.played]  # type: ignore[call-overload]


def open_street(
    shop: Shop, engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Street:
    """Place and deliver the order, bill it, and write down what servers are told."""
    till, config = open_till(shop), folder / "paquet.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    (folder / "inventory.yml").write_text(INVENTORY, encoding="utf-8")
    secrets.make_key_file(folder / "paquet.key")
    control = Control(settings.load(config), engine, "ana", lambda: NOON)
    fences.known_server(till.session, "bundles1")
    order = orders.place(
        till.session, WISH, dkim=DkimKey("p", "public"), steps=("bundle",), told=TOLD
    )
    safe = open_safe(till.session, control.settings.key_file)
    for name in plays.BUNDLE_SECRETS:
        safe.put(f"bundle:{order.bundle.name}", name, SecretStr("throw-away"))
    begun = opening.open_for_order(till.session, order, START)
    opening.begin(till.session, begun, START)
    shop.bill(START)
    order.state = "delivered"
    made = Street(till, control, folder / "letters")
    monkeypatch.setattr(plays, "change", lambda _control, play: made.played.append(play))
    return made


def pay_all(street: Street, days: int) -> None:
    """Let the bank show what is open, paid on a day."""
    session = street.till.session
    (row,) = street.till.bank(Said(1000), on=street.day(days))
    (one,) = [one for one in open_items.everything(session, street.till.seller.id) if one.units]
    paying.pay(session, row, [one], street.day(days))


def suspend(street: Street) -> None:
    """Take the steps up to the suspension."""
    for days in (5, 15, 30, 45):
        street.run(days)
