"""What is said to ip(8) when a lab is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.lab.groups import Group
from provision.lab.network import Network, host_links, machine_links, router_links
from provision.lab.plan import LabPlan

PLAN = LabPlan("lab", 7)
GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("router.batch", router_links(Network(PLAN, Path("/lab/namespaces"), Group("lab")))),
        ("bundles1.batch", machine_links(PLAN, "bundles1")),
        ("internet.batch", machine_links(PLAN, "internet")),
        ("host.batch", host_links(PLAN)),
    ],
)
def test_links_are_made_as_recorded(name: str, said: str) -> None:
    assert said == (GOLDEN / name).read_text(encoding="utf-8")
