"""Digests: equal only when nothing that a role may use has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from provision.servers.digests import role_digests, roles_of
from provision.servers.inventory import Host
from provision.servers.play import Play

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SITE = """
- name: Bundles
  hosts: "bundles:&{{ site_host | default('all') }}"
  roles: [base, {role: nginx, when: x}]
- name: Backup
  hosts: backup:names
  roles: [{name: rest}]
- name: Names
  hosts: names
  roles: [knot]
- name: Everywhere
  hosts: all
  tasks: []
"""
HOST = Host("one", "192.0.2.1", "one.test", groups=frozenset({"all", "bundles"}))


@pytest.fixture
def playbook(tmp_path: Path) -> Path:
    for role in ("base", "nginx"):
        for part in ("tasks", "defaults"):
            folder = tmp_path / "roles" / role / part
            folder.mkdir(parents=True)
            (folder / "main.yml").write_text(f"{role} {part}")
    (tmp_path / "library").mkdir()
    (tmp_path / "site.yml").write_text(SITE)
    return tmp_path / "site.yml"


def digests(playbook: Path, *, zone: str = "a.test", key: str = "s") -> dict[str, str]:
    play = Play(str(playbook), [HOST], {"zone": zone}, {"tsig": SecretStr(key)})
    return role_digests(playbook, play, ["base", "nginx"])


@pytest.mark.parametrize(
    ("groups", "roles"),
    [({"bundles"}, ["base", "nginx"]), ({"names"}, ["rest", "knot"]), ({"other"}, [])],
)
def test_the_groups_of_a_host_decide_its_roles(
    playbook: Path, groups: set[str], roles: list[str]
) -> None:
    assert roles_of(playbook, frozenset(groups)) == roles


def test_the_same_is_equal(playbook: Path) -> None:
    assert digests(playbook) == digests(playbook)


def test_a_file_of_a_role_changes_that_role_only(playbook: Path) -> None:
    before = digests(playbook)
    (playbook.parent / "roles/base/tasks/main.yml").write_text("new")
    after = digests(playbook)
    assert after["base"] != before["base"]
    assert after["nginx"] == before["nginx"]


def test_a_role_that_runs_tasks_of_another_changes_with_it(playbook: Path) -> None:
    folder = playbook.parent / "roles"
    task = "- ansible.builtin.include_role:\n    name: base\n"
    (folder / "nginx/tasks/main.yml").write_text(task)
    before = digests(playbook)
    (folder / "base/tasks/main.yml").write_text("new")
    assert digests(playbook)["nginx"] != before["nginx"]


def write(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text("new")


@pytest.mark.parametrize(
    "change",
    [write("library/module.py"), write("roles/nginx/defaults/main.yml"), write("site.yml")],
)
def test_what_roles_share_changes_all(playbook: Path, change: Callable[[Path], object]) -> None:
    before = digests(playbook)
    change(playbook.parent)
    after = digests(playbook)
    assert all(after[role] != before[role] for role in before)


def test_a_variable_or_a_secret_changes_all(playbook: Path) -> None:
    before = digests(playbook)
    for after in (digests(playbook, zone="b.test"), digests(playbook, key="t")):
        assert all(after[role] != before[role] for role in before)


def test_no_digest_holds_its_secret(playbook: Path) -> None:
    assert "sesame" not in str(digests(playbook, key="sesame"))
