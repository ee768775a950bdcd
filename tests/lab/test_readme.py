"""The README's commands that need servers, typed as they stand but for the lab's own zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provision.servers import artifacts
from tests.lab.conftest import fresh
from tests.readme import commands, type_in

if TYPE_CHECKING:
    from tests.lab.region import Region

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
ZONE = "nuage.example"


def typed(region: Region, command: str) -> str:
    """Type a command of the README, with the names of the lab, and answer yes."""
    zone = region.control.settings.operator.zone
    lab = command.replace(f"jeanne.{ZONE}", f"lisa{fresh()}.{zone}").replace(ZONE, zone)
    config = str(region.folder / "paquet.toml")
    said = type_in(lab, region.folder, ["y"], PAQUET_CONFIG=config)
    assert said.returncode == 0, f"{lab}\n{said.stdout}"
    return said.stdout


def of_readme(beginning: str) -> list[str]:
    found = [one for one in commands("README.md") if one.startswith(beginning)]
    assert found
    return found


def test_the_readmes_servers_are_prepared_as_it_says(region: Region) -> None:
    for command in of_readme("paquet dns publish") + of_readme("paquet server prepare"):
        said = typed(region, command)
        assert "Validating arguments" not in said
        assert "roles visited" not in said


def test_the_readmes_order_ends_with_a_kit(region: Region) -> None:
    if not artifacts.cached(region.control.settings, "nextcloud"):
        pytest.skip("no Nextcloud archive is in the cache: see `paquet artifact --help`")
    (command,) = of_readme("paquet order place")
    said = typed(region, command)
    told = [line.split(" s  ")[-1].split(":")[0] for line in said.splitlines() if " s  " in line]
    assert [one for one in told if not one.startswith(" ")] == [
        *("names", "bundle", "device", "checks", "kit")
    ]
    assert "Validating arguments" not in said
    assert list(region.control.kits.glob(f"*lisa{fresh()}*/*/kit.pdf"))
