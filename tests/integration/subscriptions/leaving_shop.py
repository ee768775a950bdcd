"""The world of privacy, with servers that only write down what they were told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from pydantic import SecretStr

from provision import database
from provision.errors import PaquetError
from provision.registry import orders
from provision.registry.secrets import open_safe
from provision.subscriptions.selling import opening
from provision.workflows import plays
from provision.workflows.offboard import BundleClosing
from tests.integration.subscriptions.privacy_shop import TODAY, make

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import pytest
    from sqlalchemy import Engine

    from provision.registry.models import Bundle
    from provision.servers.play import Play
    from provision.subscriptions.selling.models import Subscription
    from provision.workflows.control import Control
    from tests.integration.subscriptions.privacy_shop import World

INVENTORY = """
all:
  children:
    bundles:
      hosts:
        bundles1:
          ansible_host: 198.51.100.10
          server_name: bundles1.exemple.test
    backup:
      hosts:
        backup1:
          ansible_host: 198.51.100.20
          server_name: backup1.exemple.test
"""
CLOSING = BundleClosing("she moves away", TODAY, TODAY, "letter")
NO_ANSWER = PaquetError("bundles1 does not answer")


@dataclass
class Leaving:
    """Jeanne's world, and what its servers were told; `broken` ones do not answer."""

    world: World
    played: list[Play] = field(default_factory=list)
    broken: bool = False

    @property
    def control(self) -> Control:
        """The control machine on the day of the world."""
        return self.world.control

    def on(self, day: date) -> Control:
        """Return the control machine on another day."""
        noon = datetime.combine(day, time(12), UTC)
        return replace(self.control, clock=lambda: noon)

    def change(self, _control: Control, play: Play) -> None:
        """Be the servers."""
        if self.broken:
            raise NO_ANSWER
        self.played.append(play)

    def told(self) -> list[tuple[str, object]]:
        """Return the playbooks that servers were told, with the state of the bundle."""
        return [
            (play.playbook, dict(play.variables["bundle"])["state"])  # type: ignore[call-overload]
            for play in self.played
        ]

    def bundle(self) -> Bundle:
        """Return Jeanne's bundle as the registry has it now."""
        with database.transaction(self.world.engine) as session:
            return orders.load_bundle(orders.get(session, 1).bundle)

    def subscription(self) -> Subscription:
        """Return the subscription that pays for it."""
        with database.transaction(self.world.engine) as session:
            found = opening.of_order(session, 1)
            assert found is not None
            return found

    def kit(self) -> Path:
        """Return the folder of her kit."""
        return self.control.kits / "jeanne@jeanne.paquet.test"


def leave(engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Leaving:
    """Build the world on `engine`, with a kit, all secrets of the bundle, and an inventory."""
    made = Leaving(make(engine, folder))
    (folder / "inventory.yml").write_text(INVENTORY, encoding="utf-8")
    with database.transaction(engine) as session:
        safe, bundle = (
            open_safe(session, made.control.settings.key_file),
            orders.get(session, 1).bundle,
        )
        bundle.dkim_public_key = "QUJD"
        for name in plays.BUNDLE_SECRETS:
            safe.put(f"bundle:{bundle.name}", name, SecretStr("throw-away"))
    (made.kit() / "d1e2f3a4b5c6").mkdir(parents=True)
    monkeypatch.setattr(plays, "change", made.change)
    return made
