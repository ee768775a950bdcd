"""What every role of ours promises, read from the files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jinja2.nativetypes import NativeEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
ROLES = sorted(path for path in (PLAYBOOKS / "roles").iterdir() if (path / "tasks").is_dir())
OWNERS = re.compile(r"(?:owner|group): (\w+)")
LEFT = {"ansible.builtin.shell", "ansible.builtin.command", "ansible.builtin.raw"}


def site_roles() -> list[str]:
    plays: list[dict[str, Any]] = yaml.safe_load((PLAYBOOKS / "site.yml").read_text())
    return [entry["role"] for play in plays for entry in play["roles"]]


def test_every_role_of_the_site_exists() -> None:
    assert not set(site_roles()) - {role.name for role in ROLES}


def test_whom_the_first_roles_name_is_installed_before_them() -> None:
    """Files and rules above `packages_ready` belong to users that packages below it would make."""
    play = yaml.safe_load((PLAYBOOKS / "site.yml").read_text())[0]
    roles = [entry["role"] for entry in play["roles"]]
    above, below = roles[: (turn := roles.index("packages_ready"))], roles[turn + 1 :]
    given = {"packages_roles": roles, "new_server": True}
    first = NativeEnvironment().from_string(play["vars"]["packages_first"]).render(given)
    texts = [
        path.read_text()
        for role in above
        for path in (PLAYBOOKS / "roles" / role).rglob("*.yml")
        if path.parent.name in {"tasks", "vars"}
    ]
    named = set(OWNERS.findall("\n".join(texts))) | set(play["vars"]["firewall_mailers"])
    assert "postfix" in named
    assert named & set(below) <= set(first)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: str(role.name))
def test_a_role_describes_its_arguments(role: Path) -> None:
    described = yaml.safe_load((role / "meta/argument_specs.yml").read_text())
    assert described["argument_specs"]["main"]["short_description"]


def entries(play_file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each role that a play names: how (import or include), and its words."""
    for play in yaml.safe_load(play_file.read_text()):
        for role in play.get("roles", []):
            yield "import_role", {"name": role["role"], "when": "when" in role}
        for task in play.get("tasks", []):
            for how in ("import_role", "include_role"):
                if f"ansible.builtin.{how}" in task:
                    yield how, task[f"ansible.builtin.{how}"] | {"when": "when" in task}


@pytest.mark.parametrize("path", sorted(PLAYBOOKS.glob("*.yml")), ids=lambda path: str(path.name))
def test_what_a_play_does_is_told_in_words_and_only_when_it_is_done(path: Path) -> None:
    """Whoever waits is told each role by the short description of its entry, see outcomes.py.

    A role that is imported under a condition would be announced, and then skipped.
    """
    told = 0
    for play in yaml.safe_load(path.read_text()):
        assert play.keys() & {"roles", "tasks"}, play["name"]
        assert all("role" in str(task.keys()) for task in play.get("tasks", [])), play["name"]
    for how, entry in entries(path):
        assert not (how == "import_role" and entry["when"]), entry
        named = re.compile(re.sub(r"{{.*?}}", ".+", entry["name"]))
        for role in (role for role in ROLES if named.fullmatch(role.name)):
            told += 1
            specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]
            assert specs[entry.get("tasks_from", "main")]["short_description"], role.name
    assert told


@pytest.mark.parametrize("role", ROLES, ids=lambda role: str(role.name))
def test_tasks_are_named_and_run_no_shell(role: Path) -> None:
    for path in sorted((role / "tasks").glob("*.yml")):
        for task in yaml.safe_load(path.read_text()):
            assert task["name"], path
            assert not LEFT & task.keys(), path


@pytest.mark.parametrize("role", sorted(set(site_roles())))
def test_packages_are_plain_lists_that_one_transaction_can_gather(role: str) -> None:
    path = PLAYBOOKS / "roles" / role / "defaults/main.yml"
    packages = (yaml.safe_load(path.read_text()) or {}).get(f"{role}_packages", [])
    assert all(isinstance(name, str) and "{" not in name for name in packages)


def test_secrets_are_read_only_in_silent_tasks_and_steps() -> None:
    """A step keeps silent itself, and says its reasons: see the next tests."""
    readers = 0
    for role in ROLES:
        for path in sorted((role / "tasks").glob("*.yml")):
            for task in yaml.safe_load(path.read_text()):
                if "secrets_file" in str(task):
                    readers += 1
                    assert task.get("no_log") is True, f"{path}: {task['name']}"
    assert readers


SILENT = {"secret_system", "admin_password", "secret"}  # no_log in the arguments of their steps
DIGESTED = {"secret_sha256"}


def names_of_secrets(value: object, name: str = "") -> Iterator[str]:
    """Yield under which name each secret is handed to a step, in a YAML value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            silent = key == "content" and value.get("secret") is True
            yield from names_of_secrets(inner, "" if silent else name if name in SILENT else key)
    elif isinstance(value, list):
        for inner in value:
            yield from names_of_secrets(inner, name)
    elif name and "bundle_secrets" in str(value):
        yield name


def test_secrets_of_a_step_are_handed_in_silently() -> None:
    found: set[str] = set()
    for path in sorted(PLAYBOOKS.glob("roles/bundle/*/*/*.yml")):
        found |= set(names_of_secrets(yaml.safe_load(path.read_text())))
    assert found == SILENT | DIGESTED


def items_in(value: object) -> Iterator[dict[str, Any]]:
    """Yield every item of paquet_files in a YAML value: what has a path and a text."""
    if isinstance(value, dict):
        if {"path", "content"} <= value.keys():
            yield value
        value = list(value.values())
    for inner in value if isinstance(value, list) else []:
        yield from items_in(inner)


def test_secrets_that_become_files_are_blotted_out() -> None:
    secrets = 0
    for path in sorted(PLAYBOOKS.glob("roles/*/**/*.yml")):
        for item in items_in(yaml.safe_load(path.read_text())):
            if "secret" in item["content"]:
                secrets += 1
                assert item.get("secret") is True, f"{path}: {item['path']}"
    assert secrets > 2


def test_no_program_of_root_opens_a_name_where_others_may_write() -> None:
    """Whoever may write there takes the name first, as a link, a lock or a pipe."""
    named = re.compile(r"(?:/run/lock|/tmp|/var/tmp|/dev/shm)/\w")
    read = [path for path in PLAYBOOKS.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    found = {
        f"{path.relative_to(PLAYBOOKS)}: {line.strip()}"
        for path in read
        for line in path.read_text("utf-8").splitlines()
        if named.search(line)
    }
    assert len(read) > 100
    assert found == set()
