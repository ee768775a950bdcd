"""The inventory: read as Ansible reads it, each mistake with its file and host."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from provision.servers import inventory
from provision.servers.inventory import Host, InventoryWrong

EXAMPLE = Path(__file__).parents[3] / "inventory.example"


def written(folder: Path, text: str) -> Path:
    path = folder / "inventory.yml"
    path.write_text(text, encoding="utf-8")
    return path


def mine(folder: Path) -> Path:
    """Return the example with names and addresses of one's own."""
    text = EXAMPLE.read_text("utf-8").replace("example.org", "nuage.example")
    return written(folder, text.replace("192.0.2.", "198.51.100."))


def one(folder: Path, body: str) -> Path:
    return written(folder, f"all:\n  children:\n    bundles:\n      hosts:\n        one: {body}\n")


def test_the_example_is_readable_once_it_is_of_ones_own(tmp_path: Path) -> None:
    hosts = inventory.read(mine(tmp_path))
    assert [host.name for host in inventory.members(hosts, "bundles")] == ["bundles1"]
    assert hosts["bundles1"].server_name == "bundles1.nuage.example"
    assert hosts["bundles1"].user == "paquet"
    assert hosts["bundles1"].variables == {"backup_server": "backup1"}


def test_the_machines_of_the_example_are_known() -> None:
    shown = re.findall(r"(?:ansible_host|server_name): (\S+)", EXAMPLE.read_text("utf-8"))
    assert set(shown) == inventory.OF_EXAMPLE


@pytest.mark.parametrize("left", sorted(inventory.OF_EXAMPLE))
def test_a_machine_of_the_example_that_was_left_in_is_refused(tmp_path: Path, left: str) -> None:
    text = EXAMPLE.read_text("utf-8")
    for other in inventory.OF_EXAMPLE - {left}:
        text = text.replace(other, f"{other.split('.')[0]}.nuage.example")
    with pytest.raises(InventoryWrong, match=f"still a machine of the example, {left}") as refused:
        inventory.read(written(tmp_path, text))
    assert "your own servers" in refused.value.hint


def test_a_machine_is_not_its_own_backup(tmp_path: Path) -> None:
    path = written(
        tmp_path, "all: {children: {bundles: {hosts: {one: }}, backup: {hosts: {one: }}}}\n"
    )
    with pytest.raises(InventoryWrong, match="one is in the group bundles and in") as refused:
        inventory.read(path)
    assert "another machine" in refused.value.hint


def test_what_a_host_leaves_out_has_a_default(tmp_path: Path) -> None:
    host = inventory.find(one(tmp_path, ""), "one")
    assert (host.address, host.server_name, host.port, host.user) == ("one", "one", 22, "paquet")


def test_variables_of_groups_reach_their_hosts_and_hosts_win(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "all:\n  vars: {a: 1, b: 1, c: 1}\n  children:\n    bundles:\n      vars: {b: 2, c: 2}\n"
        "      hosts:\n        one: {c: 3}\n",
    )
    host = inventory.find(path, "one")
    assert host.variables == {"a": 1, "b": 2, "c": 3}
    assert host.groups == {"all", "bundles"}


def test_a_key_file_counts_from_the_inventory(tmp_path: Path) -> None:
    path = one(tmp_path, "{ansible_ssh_private_key_file: keys/id}")
    assert inventory.find(path, "one").key_file == tmp_path / "keys/id"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("{ansible_host: '{{ lookup(1) }}'}", "template"),
        ("{note: ['{% x %}']}", "template"),
        ("{ansible_host: '-oProxyCommand=touch /tmp/x'}", "ansible_host"),
        ("{ansible_host: 12}", "text"),
        ("{ansible_port: 70000}", "ansible_port"),
        ("{ansible_port: true}", "ansible_port"),
        ("{ansible_user: 'a b'}", "ansible_user"),
        ("{server_name: 'a/b'}", "server_name"),
        ("[1, 2]", "one"),
    ],
)
def test_a_mistake_is_told_with_file_and_host(tmp_path: Path, body: str, named: str) -> None:
    path = one(tmp_path, body)
    with pytest.raises(InventoryWrong) as wrong:
        inventory.read(path)
    assert str(path) in wrong.value.message
    assert "one" in wrong.value.message
    assert named in wrong.value.message
    assert wrong.value.hint


@pytest.mark.parametrize(
    "text",
    ["", "- a\n", "all: [", "all: {hosts: {'a b': }}", "all: {host: {}}", "all: !!python/name:os"],
)
def test_a_file_that_is_no_inventory_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InventoryWrong):
        inventory.read(written(tmp_path, text))


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InventoryWrong) as wrong:
        inventory.read(tmp_path / "none.yml")
    assert "inventory.example" in wrong.value.hint


def test_an_unknown_host_names_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(InventoryWrong, match="bundles1, backup1"):
        inventory.find(mine(tmp_path), "other")


def test_an_appended_host_is_read_back_by_us_and_by_ansible(tmp_path: Path) -> None:
    path = mine(tmp_path)
    before = inventory.find(path, "bundles1")
    new = Host(
        name="bundles2",
        address="192.0.2.11",
        server_name="bundles2.example.org",
        port=2222,
        user="root",
        key_file=tmp_path / "id",
        groups=frozenset({"all", "bundles"}),
        variables={"backup_server": "backup1"},
    )
    inventory.append(path, new)
    assert inventory.find(path, "bundles2") == new
    assert inventory.find(path, "bundles1") == before
    listed = subprocess.run(
        [Path(sys.executable).parent / "ansible-inventory", "-i", path, "--host", "bundles2"],
        capture_output=True,
        check=True,
    )
    assert json.loads(listed.stdout)["ansible_port"] == 2222


def test_a_name_cannot_be_appended_twice(tmp_path: Path) -> None:
    path = one(tmp_path, "{ansible_host: 192.0.2.1}")
    with pytest.raises(InventoryWrong, match="already"):
        inventory.append(path, Host("one", "192.0.2.2", "one", groups=frozenset({"bundles"})))


def test_a_first_host_makes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yml"
    inventory.append(path, Host("one", "192.0.2.2", "one.test", groups=frozenset({"backup"})))
    assert inventory.find(path, "one").groups == {"all", "backup"}
