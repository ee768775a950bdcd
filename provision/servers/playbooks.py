"""The only way to run a playbook: in its own cgroup, with nothing of it left on disk."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.process.confinement import Confinement, Overdue, confined
from provision.process.files import folder_in_memory
from provision.servers import connection
from provision.servers.encoding import encode, encode_inventory
from provision.servers.outcomes import Hearing, PartStart
from provision.servers.packed import module_store
from provision.shipped import share

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from provision.process.confinement import Confined
    from provision.servers.inventory import Host
    from provision.servers.outcomes import PlayResult
    from provision.servers.play import Play
    from provision.settings import Settings

GUARDED_PYTHON = "/usr/local/lib/paquet/guarded-python"
FENCED_PYTHONS = "/run/paquet/python"
FORKS = 8
WORDS = "words.json"
KEPT_ENVIRONMENT = ("HOME", "SSH_AUTH_SOCK", "TZ", "USER", "LOGNAME")

OnPart = Callable[[PartStart], None]


@dataclass(frozen=True)
class Permit:
    """The right to change one host: the fence of its lock, and the connection that holds it."""

    host: str
    fence: int
    control_path: Path


@dataclass(frozen=True)
class Ready:
    """An Ansible that has started and waits for its one play, which it finds in `folder`."""

    folder: Path
    process: Confined


@contextmanager
def start_ansible(settings: Settings) -> Iterator[Ready]:
    """Start Ansible, which takes two seconds, while its play is still made or waits for a lock.

    Afterwards no process and no file of it is left on this machine, used or not.
    """
    with folder_in_memory() as folder:
        write_privately(folder / "ansible.cfg", "")
        words = [
            str(folder / WORDS),
            "--inventory",
            str(folder / "inventory.json"),
            "--forks",
            str(FORKS),
        ]
        words += ["--extra-vars", f"@{folder}/variables.json"]
        command = [sys.executable, "-I", "-m", "provision.servers.runner", str(folder)]
        confinement = Confinement(_environment(folder, settings), [folder])
        with confined([*command, str(share("playbooks")), *words], confinement) as process:
            yield Ready(folder, process)


def run_play(
    play: Play,
    settings: Settings,
    *,
    permits: Sequence[Permit] = (),
    on_part: OnPart | None = None,
    check: bool = False,
) -> PlayResult:
    """Start Ansible and run `play` with it, as `run_ready` does."""
    with start_ansible(settings) as ready:
        return run_ready(play, ready, permits=permits, on_part=on_part, check=check)


def run_ready(
    play: Play,
    ready: Ready,
    *,
    permits: Sequence[Permit] = (),
    on_part: OnPart | None = None,
    check: bool = False,
) -> PlayResult:
    """Run `play` to its end and return what it did; `check` changes nothing and shows diffs.

    Raises PlayFailed (naming task, host and reason), Unreachable, UnsafeChange (another host
    key), or Overdue.
    """
    hearing = Hearing(on_part, keeps_diffs=check)
    words = ["--check", "--diff"] if check else []
    words += ["--skip-tags", ",".join(play.skipped)] if play.skipped else []
    words += [str(find_playbook(play.playbook))]
    try:
        _lay_out(ready.folder, play, {permit.host: permit for permit in permits})
        write_privately(ready.folder / "words.new", json.dumps(words))
        (ready.folder / "words.new").rename(ready.folder / WORDS)
    except FileNotFoundError:  # its folder went with it
        raise PaquetError(
            "Ansible ended before it had its play", "Is memory left? Run the same command again."
        ) from None
    if _follow(ready, hearing, play):
        raise hearing.explain(Path(play.playbook).name)
    return hearing.result()


def find_playbook(playbook: str) -> Path:
    """Return the path of a playbook; a bare name is one of ours."""
    path = share("playbooks") / playbook
    if path.is_file():
        return path
    raise PaquetError(f"There is no playbook {playbook}", "Install paquet again.")


def write_privately(path: Path, text: str) -> None:
    """Write a file that nobody else could ever read, not even for a moment."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _follow(ansible: Ready, hearing: Hearing, play: Play) -> int:
    try:
        return ansible.process.follow(hearing.hear, play.timeout)
    except Overdue:
        names = ", ".join(host.name for host in play.hosts)
        raise Overdue(
            f"The play {Path(play.playbook).name} on {names} took longer than "
            f"{play.timeout:.0f} seconds and was stopped",
            "Look at the load of the server, then run the same command again.",
        ) from None


def _lay_out(folder: Path, play: Play, permits: Mapping[str, Permit]) -> None:
    """Write the play's inventory, variables and secrets into the private folder."""
    secrets = {name: secret.get_secret_value() for name, secret in play.secrets.items()}
    secrets_file = folder / "secrets.json"
    write_privately(secrets_file, json.dumps(secrets))
    handed = {"secrets_file": str(secrets_file), "reply_file": str(folder / "reply.json")}
    variables = {**play.variables, **handed}
    write_privately(folder / "variables.json", encode(variables))
    hosts = {host.name: _host_variables(host, permits.get(host.name)) for host in play.hosts}
    groups = {
        group: [host.name for host in play.hosts if group in host.groups]
        for group in sorted(set().union(*(host.groups for host in play.hosts)) - {"all"})
    }
    write_privately(folder / "inventory.json", encode_inventory(hosts, groups))


def _host_variables(host: Host, permit: Permit | None) -> dict[str, object]:
    variables: dict[str, object] = {
        **host.variables,
        "server_name": host.server_name,
        "ansible_host": host.address,
        "ansible_port": host.port,
        "ansible_user": host.user,
        "ansible_become": host.user != "root",
        "ansible_ssh_common_args": shlex.join(connection.host_options(host)),
        "ansible_python_interpreter": GUARDED_PYTHON,
    }
    if permit is not None:
        variables["ansible_python_interpreter"] = f"{FENCED_PYTHONS}/{permit.fence}"
        variables["ansible_control_path"] = str(permit.control_path)
    return variables


def _environment(folder: Path, settings: Settings) -> dict[str, str]:
    """Return all that Ansible sees of our environment, so that no secret of it can leak."""
    playbooks = share("playbooks")
    ssh = [*connection.options(settings), "-o", "ControlMaster=auto", "-o", "ControlPersist=60s"]
    store = module_store(settings, playbooks)
    return {
        **{name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ},
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
        "LANG": "C.UTF-8",
        "TMPDIR": str(folder),
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "temporary"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "s"),
        "ANSIBLE_SSH_ARGS": shlex.join(ssh),
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_GATHERING": "explicit",
        "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.yaml",
        "ANSIBLE_LIBRARY": str(playbooks / "library"),
        "ANSIBLE_MODULE_UTILS": str(playbooks / "module_utils"),
        "ANSIBLE_ROLES_PATH": str(playbooks / "roles"),
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_CALLBACK_PLUGINS": str(playbooks / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "paquet_module_store",
        **({"PAQUET_MODULE_STORE": str(store)} if store else {}),
        "ANSIBLE_PRIVATE_ROLE_VARS": "True",  # a digest covers no variable of another role
        "ANSIBLE_NO_TARGET_SYSLOG": "True",  # else the journal there keeps all that modules get
    }
