"""What decides which image a machine starts from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from provision.lab.images import BARE_PACKAGES, Recipe, bootstrap_command

RECIPE = Recipe(BARE_PACKAGES, "http://mirror/debian", "http://mirror/security")


def test_equal_recipes_share_an_image() -> None:
    assert RECIPE.digest == replace(RECIPE).digest


def test_every_ingredient_changes_the_image() -> None:
    others = [
        replace(RECIPE, packages=("systemd",)),
        replace(RECIPE, mirror="http://elsewhere/debian"),
        replace(RECIPE, security_mirror="http://elsewhere/security"),
        replace(RECIPE, suite="forky"),
        replace(RECIPE, customize=()),
    ]
    assert len({RECIPE.digest, *(other.digest for other in others)}) == len(others) + 1


def test_an_image_takes_security_updates_too() -> None:
    command = bootstrap_command(RECIPE, Path("/target"))
    assert "deb http://mirror/security trixie-security main" in command
    assert command[command.index("trixie") + 1] == "/target"


def test_a_bare_image_has_nothing_that_the_product_installs() -> None:
    assert not {"nginx", "postfix", "nftables", "fail2ban", "postgresql"} & set(BARE_PACKAGES)
