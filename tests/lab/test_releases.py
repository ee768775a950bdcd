"""Bundles that stand on a server come along when it gets a new release."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from provision.errors import PaquetError
from provision.process.commands import CommandFailed
from provision.workflows import bundles, upkeep
from tests.lab.paquet_runs import paquet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.region import Delivered

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


def test_a_bundle_gets_what_a_new_release_brings_and_once(delivered_bundle: Delivered) -> None:
    control = delivered_bundle.region.control
    bundle = bundles.find(control, delivered_bundle.domain)
    brought = f"/etc/paquet/room/{bundle.name}.json"
    delivered_bundle.server.run(["rm", brought])  # as before there was such a thing
    assert upkeep.deploy(control, bundle, dry_run=True) == 1
    assert delivered_bundle.server.run(["ls", brought], check=False).stdout == ""
    assert upkeep.deploy(control, bundle) == 1
    assert delivered_bundle.server.run(["ls", brought]).stdout
    assert upkeep.deploy(control, bundle) == 0


def test_all_bundles_of_a_server_are_meant_together(delivered_bundle: Delivered) -> None:
    control = delivered_bundle.region.control
    standing = bundles.standing_on(control, "bundles1")
    assert delivered_bundle.domain in [bundle.domain for bundle in standing]


@contextmanager
def that_ends_all_php(nextcloud: Delivered) -> Iterator[None]:
    """Let a bundle have planted what ends each program that reads its configuration."""
    config = f"/srv/bundles/{nextcloud.name}/config/config.php"
    right = nextcloud.server.run(["cat", config]).stdout
    try:
        nextcloud.server.run(["tee", "-a", config], given="\nexit(1);\n")
        yield
    finally:
        nextcloud.server.run(["tee", config], given=right)


def test_a_bundle_that_stops_its_own_deployment_stops_no_other(
    light: Delivered, nextcloud: Delivered
) -> None:
    words = ["bundle", "deploy", "--server", "bundles1", "--yes", "--json"]
    with that_ends_all_php(nextcloud), pytest.raises(CommandFailed) as failed:
        paquet(light.region.folder / "paquet.toml", *words)
    rows = {row["domain"]: row for row in json.loads(failed.value.completed.stdout)}
    assert rows[light.domain]["error"] is None
    assert rows[nextcloud.domain]["error"]


def test_what_a_bundle_broke_itself_works_again_once_it_is_mended(nextcloud: Delivered) -> None:
    control, server = nextcloud.region.control, nextcloud.server
    bundle = bundles.find(control, nextcloud.domain)
    backup = ["systemctl", "start", f"paquet-backup@{nextcloud.name}.service"]
    with that_ends_all_php(nextcloud):
        with pytest.raises(PaquetError, match="ended with 1"):
            upkeep.deploy(control, bundle)
        with pytest.raises(CommandFailed):
            server.run(backup)
    listed = ["systemctl", "list-units", "--all", "--plain", "--no-legend", "--no-pager"]
    ran = [f"paquet-{what}@{nextcloud.name}.service" for what in ("occ", "maintenance")]
    assert server.run([*listed, *ran]).stdout == ""
    server.run(backup)
    upkeep.deploy(control, bundle)
