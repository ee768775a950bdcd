"""ansible-playbook by hand: it reaches single roles, of one server, and is guarded by default."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from provision.process.commands import Surroundings, run

TOP = Path(__file__).parents[3]
PLAYBOOKS = TOP / "playbooks"
BIN = Path(sys.executable).parent
GUARD = "/usr/local/lib/paquet/guarded-python"
SITE: list[dict[str, Any]] = yaml.safe_load((PLAYBOOKS / "site.yml").read_text("utf-8"))
ENTRIES = [entry for play in SITE for entry in play["roles"]]
TASK = re.compile(r"^      (?P<role>\w+) : (?P<task>.+)\tTAGS: ", re.MULTILINE)
THREE = """
all:
  children:
    bundles: {hosts: {one: , both: }}
    backup: {hosts: {two: , both: }}
"""


def ansible(program: str, *words: str, folder: Path = PLAYBOOKS) -> str:
    """Return what a program of Ansible says, called in `folder`."""
    return run([str(BIN / program), *words], surroundings=Surroundings(folder=folder)).stdout


def test_every_role_is_a_tag_of_its_own_name() -> None:
    assert [{"role": entry["role"], "tags": entry["role"]} for entry in ENTRIES] == ENTRIES


def test_the_single_tasks_of_all_roles_are_listed() -> None:
    listed = TASK.finditer(ansible("ansible-playbook", "site.yml", "--list-tasks"))
    assert {one["role"] for one in listed} == {entry["role"] for entry in ENTRIES}


def test_a_tag_reaches_one_role_alone() -> None:
    said = ansible("ansible-playbook", "site.yml", "--list-tasks", "--tags", "nginx")
    checked = "Validating arguments"  # Ansible does that for each role, whatever is asked for
    found = [one.groups() for one in TASK.finditer(said) if not one["task"].startswith(checked)]
    assert found == [("nginx", "Configure and run nginx")]


@pytest.mark.parametrize(
    ("host", "bundles", "backup"),
    [("one", ["one"], []), ("both", ["both"], ["both"])],
)
def test_the_variables_of_one_server_reach_no_other(
    tmp_path: Path, host: str, bundles: list[str], backup: list[str]
) -> None:
    (tmp_path / "inventory.yml").write_text(THREE, "utf-8")
    (tmp_path / "given.json").write_text(json.dumps({"site_host": {"__ansible_unsafe": host}}))
    words = ["-i", f"{tmp_path}/inventory.yml", "-e", f"@{tmp_path}/given.json", "--list-hosts"]
    plays = ansible("ansible-playbook", "site.yml", *words).split("play #")[1:]
    reached = [re.findall(r"^      (\w+)$", play, re.MULTILINE) for play in plays]
    assert reached == [bundles, backup]


def test_the_example_inventory_is_guarded_wherever_it_is_used(tmp_path: Path) -> None:
    shutil.copyfile(TOP / "inventory.example", tmp_path / "inventory.yml")
    told = ansible("ansible-inventory", "-i", "inventory.yml", "--list", folder=tmp_path)
    hosts = json.loads(told)["_meta"]["hostvars"]
    assert len(hosts) == 2
    for host in hosts.values():
        assert host["ansible_python_interpreter"] == GUARD
        assert host["ansible_become"] is True


def test_the_settings_beside_the_playbooks_are_guarded_whatever_the_inventory() -> None:
    told = ansible("ansible-config", "dump", "--only-changed")
    settled = dict(re.findall(r"^(\w+)\(.*ansible\.cfg\) = (.*)$", told, re.MULTILINE))
    assert settled["INTERPRETER_PYTHON"] == GUARD
    assert settled["DEFAULT_BECOME"] == "True"
