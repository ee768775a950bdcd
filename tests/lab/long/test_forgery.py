"""Mail in a neighbour's name: all ways that we know, from one bundle in the name of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab import forgeries

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.region import Delivered, Region

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("mail_names", "swaks")]

GOOD = ("nothing came", "not forged")


@pytest.fixture(scope="module")
def victim(region: Region, light: Delivered) -> Delivered:
    """A second bundle beside the forger's."""
    return region.order(f"victime-{light.name}.paquet.test")


def test_no_way_to_send_as_another_bundle_works(
    light: Delivered, victim: Delivered, tell: Callable[[str, object, object], None]
) -> None:
    outcomes = forgeries.attempt(light, victim.address, forgeries.WAYS)

    for name, said in outcomes.items():
        tell(name, said, "no forgery")
    forged = [name for name, said in outcomes.items() if said not in GOOD]
    tell("ways that worked", f"{len(forged)} of {len(outcomes)}", f"0 of {len(outcomes)}")
    assert not forged
