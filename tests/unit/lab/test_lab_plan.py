"""Names and addresses of a lab."""

from __future__ import annotations

import pytest

from provision.errors import UsageRefused
from provision.lab.plan import SUBNETS, LabPlan, checked_name, preferred_subnets

LONGEST = "abcdefghi"
KERNEL_LIMIT = 15  # IFNAMSIZ less the final zero


def test_machines_have_fixed_places_in_the_network_of_the_lab() -> None:
    plan = LabPlan("lab", 7)
    assert plan.network == "198.18.7.0/24"
    assert plan.address("bundles1") == "198.18.7.10"
    assert plan.address("backup1") == "198.18.7.20"
    assert plan.address("internet") == "198.18.7.2"


def test_an_unknown_machine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageRefused) as refused:
        LabPlan("lab", 7).address("bundles9")
    assert "bundles1" in refused.value.hint


def test_the_longest_name_still_names_an_interface() -> None:
    assert len(LabPlan(checked_name(LONGEST), 0).link) <= KERNEL_LIMIT


@pytest.mark.parametrize("name", ["", "Lab", "1lab", "a b", "a/b", "../etc", LONGEST + "j", "é"])
def test_a_name_that_could_mislead_is_refused(name: str) -> None:
    with pytest.raises(UsageRefused):
        checked_name(name)


def test_a_name_always_prefers_the_same_network_and_tries_all() -> None:
    assert preferred_subnets("lab") == preferred_subnets("lab")
    assert sorted(preferred_subnets("lab")) == list(range(SUBNETS))
    assert preferred_subnets("lab")[0] != preferred_subnets("other")[0]
