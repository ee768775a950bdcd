"""What the programs of one bundle reach on the server: every socket, every port, every path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab import reach

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.region import Delivered, Region

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]
PLACES = [
    *[("nextcloud", place) for place in ("php", "cron", "shell")],
    *[("light", place) for place in ("dav", "files", "shell")],
]


@pytest.fixture(scope="module")
def doors(region: Region, light: Delivered, nextcloud: Delivered) -> reach.Doors:
    """All doors of the server while both bundles run."""
    for bundle in (light, nextcloud):
        bundle.server.run(["systemctl", "start", *reach.services(bundle)])
    return reach.doors_of(region)


@pytest.mark.parametrize(("cloud", "place"), PLACES)
def test_nothing_is_reached_but_what_is_needed(
    request: pytest.FixtureRequest,
    doors: reach.Doors,
    tell: Callable[[str, object, object], None],
    cloud: str,
    place: str,
) -> None:
    bundles: dict[str, Delivered] = {
        name: request.getfixturevalue(name) for name in ("light", "nextcloud")
    }
    bundle = bundles.pop(cloud)
    reached = reach.walk(place, bundle, doors, *bundles.values())
    tell(f"doors open from {place} ({cloud})", f"{len(reached.open)} of {len(doors)}", 0)
    tell(f"paths that {place} ({cloud}) may write", f"{len(reached.writable)} of {reached.walked}", 0)
    tell(f"paths that tell {place} ({cloud}) of a neighbour", len(reached.telling), 0)
    assert reached.walked > 100
    assert (reached.open, reached.writable, reached.telling) == ([], [], [])
