"""Bundles that stand on a server come along when it gets a new release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provision.workflows import bundles

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
