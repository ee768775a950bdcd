from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Load = Callable[[str], dict[str, Any]]

TOLD = "ii  bash\nrc  old\nhi  held\nun  virtual\n"


def test_only_what_is_missing_is_installed(load: Load) -> None:
    functions = load("module_utils/paquet_packages.py")
    states = functions["read_states"](TOLD)
    wanted = ["new", "bash", "old", "held", "new"]
    assert functions["missing"](wanted, states) == ["new", "old"]


@pytest.mark.parametrize("state", ["iU ", "iF ", "iHR", "it ", "iW "])
def test_a_killed_dpkg_is_noticed(load: Load, state: str) -> None:
    functions = load("module_utils/paquet_packages.py")
    states = functions["read_states"](f"{TOLD}{state} broken\n")
    assert functions["is_interrupted"](states, [])


def test_a_whole_dpkg_is_left_alone(load: Load) -> None:
    functions = load("module_utils/paquet_packages.py")
    states = functions["read_states"](TOLD)
    assert not functions["is_interrupted"](states, [])
    assert functions["is_interrupted"](states, ["0001"])
