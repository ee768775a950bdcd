from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from provision.commands.machines.server import server
from provision.commands.shared.context import Context
from provision.servers import inventory
from provision.servers.deploy import site_play
from provision.servers.encoding import encode

if TYPE_CHECKING:
    from pathlib import Path

KEY = "Y2FuYXJ5"
SETTINGS = """
cache = "cache"
[operator]
name = "Les Amis"
zone = "paquet.test"
contact = "aide@paquet.test"
[names]
server = "127.0.0.1"
acme_key_name = "acme"
acme_key_file = "acme.key"
"""
INVENTORY = """
all:
  children:
    bundles: {hosts: {bundles1: {ansible_host: 127.0.0.1, backup_server: backup1}}}
    backup: {hosts: {backup1: {ansible_host: 127.0.0.2}}}
"""


@pytest.fixture
def context(tmp_path: Path) -> Context:
    (tmp_path / "paquet.toml").write_text(SETTINGS, "utf-8")
    (tmp_path / "inventory.yml").write_text(INVENTORY, "utf-8")
    (tmp_path / "acme.key").write_text(KEY, "utf-8")
    return Context(tmp_path / "paquet.toml")


@pytest.mark.parametrize("name", ["bundles1", "backup1"])
def test_a_run_by_hand_is_given_what_a_deployment_is_given(context: Context, name: str) -> None:
    host = inventory.find(context.settings.inventory, name)
    play = site_play(host, context.settings)
    printed = CliRunner().invoke(server, ["variables", name], obj=context).output
    assert printed == encode(play.variables) + "\n"
    assert play.variables["site_host"] == name
    assert play.secrets["tsig_secret"].get_secret_value() == KEY
    assert KEY not in printed
