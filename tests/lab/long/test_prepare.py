"""`paquet server prepare` as a process that is killed twice, and goes on to the same end."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

import pytest

from provision.lab import keys
from provision.workflows import rehearsal, zones
from tests.lab.paquet_runs import kill_at, paquet
from tests.lab.pictures import server_picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from provision.lab.lab import Lab
    from tests.lab.region import Region

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


def test_a_preparation_killed_in_apt_and_in_a_role_goes_on_to_the_same_end(
    region: Region, another_lab: Callable[[str], Lab], tmp_path: Path
) -> None:
    lab = another_lab("k")
    lab.up()
    folder = tmp_path / "region"
    settings = rehearsal.set_up(lab, folder, lambda _line: None).settings
    zones.publish_own(settings)
    key = keys.public_host_key(lab.folder, "bundles1")
    words = ["server", "prepare", "bundles1", "--yes", "--host-key", key]
    config = folder / "paquet.toml"

    def half_installed() -> str:
        return lab.machine("bundles1").run(["dpkg", "--audit"], check=False).stdout

    kill_at(config, "packages: ", words, once=half_installed)
    kill_at(config, "postgresql: ", words)
    paquet(config, *words)

    assert not half_installed()
    picture = server_picture(lab.machine("bundles1"))
    lines = (region.prepared.splitlines(), picture.splitlines())
    assert list(unified_diff(*lines, "undisturbed", "killed twice", n=0)) == []
