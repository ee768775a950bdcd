"""The wildcard of the operator's zone, and the key that proves its names, only where needed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml

from provision.errors import UsageRefused
from provision.servers import inventory
from provision.workflows import bundles, ordering
from tests.lab.region import WORDS

if TYPE_CHECKING:
    from pathlib import Path

    from provision.workflows.control import Control
    from tests.lab.region import Delivered, Region

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


def test_a_backup_server_holds_no_key_of_the_zone(region: Region) -> None:
    machine = region.machine("backup1")
    held = machine.run(["ls", "-A", "/etc/paquet", "/etc/paquet/certificates/.versions"]).stdout
    assert "tsig.secret" not in held
    assert held.split()[-1] == "backup1.paquet.test"
    certificate = "/etc/paquet/certificates/backup1.paquet.test/fullchain.pem"
    issuer = machine.run(["openssl", "x509", "-noout", "-issuer", "-in", certificate]).stdout
    assert "Pebble" in issuer


@pytest.fixture
def without_zone(region: Region, tmp_path: Path) -> Control:
    """The control machine, with an inventory in which no server carries bundles of the zone."""
    control = region.control
    tree = yaml.safe_load(control.settings.inventory.read_text("utf-8"))
    for host in tree["all"]["children"]["bundles"]["hosts"].values():
        host["serves_zone"] = False
    path = tmp_path / "inventory.yml"
    path.write_text(yaml.safe_dump(tree), "utf-8")
    return replace(control, settings=control.settings.model_copy(update={"inventory": path}))


def test_a_server_that_does_not_serve_the_zone_gets_no_bundle_of_it(without_zone: Control) -> None:
    wish = replace(WORDS, domain="ailleurs.paquet.test")
    with pytest.raises(UsageRefused, match=r"No bundle of paquet\.test may live on any server"):
        ordering.check(without_zone, wish)
    with pytest.raises(UsageRefused, match="may live on bundles1"):
        ordering.check(without_zone, replace(wish, server="bundles1"))
    own = replace(WORDS, domain="exemple.test")
    assert ordering.check(without_zone, own).server == "bundles1"


def test_a_server_with_bundles_of_the_zone_cannot_give_it_up(
    without_zone: Control, light: Delivered
) -> None:
    host = inventory.find(without_zone.settings.inventory, "bundles1")
    with pytest.raises(UsageRefused, match="bundles of the zone live on bundles1"):
        bundles.refuse_homeless(without_zone, host)
    bundles.refuse_homeless(
        light.region.control, inventory.find(light.region.control.settings.inventory, "bundles1")
    )
