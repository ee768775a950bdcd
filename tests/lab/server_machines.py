"""What the tests of servers share: a lab of their own, settings for it, a small site."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from provision import settings
from provision.commands.begin import lab as lab_command
from provision.commands.shared.context import Context
from provision.process.commands import run
from provision.servers import guard, inventory, preparation
from provision.servers.play import Play
from provision.servers.playbooks import run_play

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provision.lab.lab import Lab
    from provision.servers.inventory import Host
    from provision.servers.outcomes import PartStart

LAB = "tservers"
SITE = """
- name: A small site
  hosts: bundles
  gather_facts: false
  environment: "{{ {'PAQUET_VISIT': ansible_role_name ~ ' ' ~ visit} if visit is defined else {} }}"
  roles:
    - {role: one, tags: one}
    - {role: two, tags: two}
"""
TASKS = """
- name: Write
  paquet_files:
    items: [{path: /etc/paquet-test-ROLE, content: "{{ operator_zone }} ROLE\\n"}]
"""
PING = """
- name: One task
  hosts: bundles
  gather_facts: false
  tasks: [{name: Ping, ansible.builtin.ping: {}}]
"""
ENDLESS = """
- name: A change every moment
  hosts: bundles
  gather_facts: false
  tasks:
    - name: Change
      ansible.builtin.copy: {dest: "/root/changes/{{ item }}", content: x, mode: "0600"}
      loop: "{{ range(1, 150) | list }}"
"""


@dataclass(frozen=True)
class Machine:
    """One bare machine of the lab, the settings of a control machine for it, and a folder."""

    lab: Lab
    host: Host
    settings: settings.Settings
    folder: Path
    private: Path  # where runs of this control machine keep what is private while they last

    def root(self, *command: str, check: bool = True) -> str:
        """Run words as root on the machine, beside all that is tested."""
        return self.lab.machine("bundles1").run(list(command), check=check).stdout

    def claim(self, **changes: float) -> guard.Claim:
        """Return a wish with the number after the one that the server has seen."""
        return replace(guard.Claim(lambda seen: seen + 1), **changes)  # type: ignore[arg-type]

    def playbook(self, name: str, text: str) -> str:
        """Write a playbook and return its path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def prepare(self, **options: bool) -> preparation.Preparation:
        """Prepare the machine, as a person who confirms the key that the lab gave it."""
        return preparation.prepare(self.host, self.settings, self.claim(), self.person(), **options)

    def person(self, told: Callable[[PartStart], None] | None = None) -> preparation.Answering:
        """Return somebody who knows the fingerprint of the lab's machine."""
        return preparation.Answering(lambda key: key.blob in self.own_key(), on_part=told)

    def own_key(self) -> str:
        """Return the host key as the machine itself has it."""
        return self.root("cat", "/etc/ssh/ssh_host_ed25519_key.pub")


def make_machine(folder: Path) -> Machine:
    """Bring the lab up and write what a control machine for it needs."""
    lab = lab_command.chosen(Context(folder / "none.toml"), LAB)
    lab.up()
    described = {
        "ansible_host": lab.address("bundles1"),
        "ansible_ssh_private_key_file": str(lab.ssh_key),
        "server_name": "bundles1.paquet.test",
    }
    tree = {"all": {"children": {"bundles": {"hosts": {"bundles1": described}}}}}
    (folder / "inventory.yml").write_text(json.dumps(tree), encoding="utf-8")
    operator = 'name = "Essai"\nzone = "paquet.test"\ncontact = "essai@paquet.test"\n'
    (folder / "paquet.toml").write_text(f"[operator]\n{operator}", encoding="utf-8")
    for role in ("one", "two"):
        tasks = folder / "roles" / role / "tasks"
        tasks.mkdir(parents=True)
        (tasks / "main.yml").write_text(TASKS.replace("ROLE", role), encoding="utf-8")
    made = settings.load(folder / "paquet.toml")
    private = Path(tempfile.mkdtemp())  # a path as short as people's own is
    return Machine(lab, inventory.find(made.inventory, "bundles1"), made, folder, private)


@contextmanager
def old_run(machine: Machine, *, silence: float = 60.0) -> Iterator[int]:
    """Give another paquet's process id, which holds the server and changes it all the time."""
    machine.root("sh", "-c", "rm -rf /root/changes; mkdir /root/changes")
    book = machine.playbook("endless.yml", ENDLESS)
    process = os.fork()
    if process == 0:
        words = [str(machine.folder / "paquet.toml"), book, str(silence)]
        with (machine.folder / "old.log").open("w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        os.execv(sys.executable, [sys.executable, __file__, *words])  # noqa: S606
    try:
        wait_until(lambda: count_changes(machine) > 0, seconds=120)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(process, 0)


def count_changes(machine: Machine) -> int:
    """Return how many changes the old run has made."""
    return len(machine.root("ls", "/root/changes").split())


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for a condition. Raises AssertionError when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def processes(word: str) -> list[str]:
    """Return the command lines on this computer that hold `word`."""
    listed = run(["ps", "-eo", "args"]).stdout.splitlines()
    return [line for line in listed if word in line]


def run_old() -> None:
    """Be the other paquet, in a process of its own."""
    made = settings.load(Path(sys.argv[1]))
    host = inventory.find(made.inventory, "bundles1")
    claim = guard.Claim(lambda seen: seen + 1, silence=float(sys.argv[3]))
    with guard.hold(host, made, claim) as held:
        run_play(Play(sys.argv[2], [host]), made, permits=[held.permit])


if __name__ == "__main__":
    run_old()
