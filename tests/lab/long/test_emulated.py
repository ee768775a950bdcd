"""Limits that the kernel holds, on a machine that has a kernel of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.long import emulated
from tests.lab.long.emulated import what_this_computer_lacks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.long.emulated import Emulated

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """A Debian 13 whose /srv has project quotas."""
    if lacking := what_this_computer_lacks():
        pytest.skip(f"no machine can be emulated here: {lacking} is missing")
    with emulated.machine(tmp_path_factory.mktemp("emulated")) as made:
        yield made


def test_the_emulated_machine_has_what_lab_machines_lack(machine: Emulated) -> None:
    assert "prjquota" in machine.run(["findmnt", "--noheadings", "--output=OPTIONS", "/srv"])
    assert "memory" in machine.run(["cat", "/sys/fs/cgroup/cgroup.controllers"])
