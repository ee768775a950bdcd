"""Bundles that stand on a server come along when it gets a new release."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from provision.process.commands import CommandFailed
from provision.workflows import bundles
from tests.lab.paquet_runs import paquet

if TYPE_CHECKING:
    from tests.lab.region import Delivered

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]


def test_a_bundle_gets_what_a_new_release_brings_and_once(delivered_bundle: Delivered) -> None:
    control = delivered_bundle.region.control
    bundle = bundles.find(control, delivered_bundle.domain)
    brought = f"/etc/paquet/room/{bundle.name}.json"
    delivered_bundle.server.run(["rm", brought])  # as before there was such a thing
    assert bundles.deploy(control, bundle, dry_run=True) == 1
    assert delivered_bundle.server.run(["ls", brought], check=False).stdout == ""
    assert bundles.deploy(control, bundle) == 1
    assert delivered_bundle.server.run(["ls", brought]).stdout
    assert bundles.deploy(control, bundle) == 0


def test_all_bundles_of_a_server_are_meant_together(delivered_bundle: Delivered) -> None:
    control = delivered_bundle.region.control
    standing = bundles.standing_on(control, "bundles1")
    assert delivered_bundle.domain in [bundle.domain for bundle in standing]


def test_a_bundle_that_stops_its_own_deployment_stops_no_other(
    light: Delivered, nextcloud: Delivered
) -> None:
    config = f"/srv/bundles/{nextcloud.name}/config/config.php"
    right = nextcloud.server.run(["cat", config]).stdout
    words = ["bundle", "deploy", "--server", "bundles1", "--yes", "--json"]
    try:
        nextcloud.server.run(["tee", "-a", config], given="\nexit(1);\n")
        with pytest.raises(CommandFailed) as failed:
            paquet(light.region.folder / "paquet.toml", *words)
    finally:
        nextcloud.server.run(["tee", config], given=right)
    rows = {row["domain"]: row for row in json.loads(failed.value.completed.stdout)}
    assert rows[light.domain]["error"] is None
    assert rows[nextcloud.domain]["error"]
