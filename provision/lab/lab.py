"""A lab as a whole: up (and healed), down without a trace, what it is made of."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.lab import facts, images, internet, keys, limits, mounts, snapshots, state
from provision.lab.groups import Group
from provision.lab.images import Recipe
from provision.lab.machines import Machine, identity_files
from provision.lab.network import Network, free_subnet, remove_link, require_free
from provision.lab.plan import LABS, MACHINES, LabPlan, checked_name
from provision.process import commands
from provision.process.files import locked

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

LOCKS = Path("/run/paquet-lab")
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")


def _silent(_step: str) -> None:
    return


@dataclass(frozen=True)
class Lab:
    """The lab `name`; images and snapshots are kept in `cache`, packages come from the mirrors."""

    name: str
    cache: Path
    mirror: str
    security_mirror: str

    @property
    def folder(self) -> Path:
        """Where everything of this lab lives."""
        return LABS / checked_name(self.name)

    @property
    def group(self) -> Group:
        """The processes of this lab."""
        return Group(self.name)

    @property
    def plan(self) -> LabPlan:
        """Its names and addresses. Raises PaquetError when it is not up."""
        return LabPlan(self.name, self._state().subnet)

    @property
    def network(self) -> Network:
        """Its network."""
        return Network(self.plan, self.folder / "namespaces", self.group)

    def machine(self, name: str) -> Machine:
        """Return the machine `name`; raises PaquetError when the lab has no such machine."""
        self.plan.address(name)
        return Machine(name, self.plan, self.folder, self.group)

    def address(self, name: str) -> str:
        """Return the address of the machine `name`, or nothing when the lab is not up."""
        return self.plan.address(name) if state.load(self.folder) else ""

    @property
    def ssh_key(self) -> Path:
        """The private key that root of every machine accepts."""
        return self.folder / keys.LOGIN

    @property
    def known_hosts(self) -> Path:
        """The host keys of all machines, under their names and addresses."""
        return self.folder / keys.KNOWN_HOSTS

    def exists(self) -> bool:
        """Whether this lab is up, or was left half up or half down."""
        return self.folder.exists()

    def is_known(self) -> bool:
        """Whether this lab has a network number, so that its addresses can be told."""
        return state.load(self.folder) is not None

    def up(self, *, snapshot: str = "", tell: Callable[[str], None] = _silent) -> None:
        """Bring the lab up; what runs already stays, what is broken or missing is mended.

        A new lab begins with bare machines, or as the `snapshot` was. `tell` hears the name of
        each step as it begins.
        """
        require_host()
        with self._alone():
            self._refuse_another(snapshot)
            tell("images")
            layers = {} if snapshot or self.is_known() else self._layers()
            tell("network")
            with locked(LOCKS / "all.lock"):  # two labs must not choose one number
                limits.raise_to_enough(INOTIFY, LABS)
                if not self.is_known():
                    self._begin(snapshot, layers)
                self._ensure_network()
            tell("machines")
            keys.ensure(self.folder, self.plan)
            self._start_all()

    def down(self) -> None:
        """Take the lab down with its disks; nothing of it remains, whatever state it was in."""
        with self._alone():
            self._clear()
            if self.folder.exists():
                shutil.rmtree(self.folder)
            with locked(LOCKS / "all.lock"):
                self.group.forget()
                _leave_nothing()

    def start(self, name: str) -> None:
        """Start a machine that was stopped, from its own disk, and wait for it."""
        with self._alone():
            self._start(name)
            self._wait(name)

    def reboot(self, name: str) -> None:
        """Reboot a machine and wait until it answers again."""
        machine = self.machine(name)
        before = machine.boot_number()
        machine.run(["systemctl", "reboot"], check=False)
        machine.wait_for_next_boot(before)
        self._wait(name)

    def snapshot(self, title: str) -> None:
        """Keep all machines as they are now; they are stopped for it, and started again."""
        with self._alone():
            try:
                for name in MACHINES:
                    self.machine(name).stop()
                snapshots.take(self.cache, title, self.folder)
            finally:
                self._start_all()

    def status(self) -> dict[str, bool]:
        """Return for the network and each machine whether it runs."""
        if not state.load(self.folder):
            return dict.fromkeys(("network", *MACHINES), False)
        running = {name: self.machine(name).is_running() for name in MACHINES}
        network = self.network.is_laid() and self.network.leads_out()
        return {"network": network, **running}

    def facts(self) -> dict[str, object]:
        """Return its addresses and the paths of its keys, as lab.json in its folder has them.

        Raises PaquetError when it is not up.
        """
        return facts.facts(self.folder, self.plan)

    def _state(self) -> state.State:
        known = state.load(self.folder)
        if known is None:
            raise PaquetError(
                f"The lab {self.name} is not up", f"Run `paquet lab up --name {self.name}`."
            )
        return known

    def _alone(self) -> AbstractContextManager[None]:
        return locked(LOCKS / f"{checked_name(self.name)}.lock")

    def _layers(self) -> dict[str, list[str]]:
        mirrors = (self.mirror, self.security_mirror)
        bare = images.image(Recipe(images.BARE_PACKAGES, *mirrors), self.cache)
        world = Recipe(internet.PACKAGES, *mirrors, customize=internet.CUSTOMIZE)
        internet_image = images.image(world, self.cache)
        return {name: [str(internet_image if name == "internet" else bare)] for name in MACHINES}

    def _refuse_another(self, snapshot: str) -> None:
        known = state.load(self.folder)
        if known and snapshot and known.snapshot != snapshot:
            raise PaquetError(
                f"The lab {self.name} is up, and did not begin as {snapshot}",
                f"Take it down first: `paquet lab down --name {self.name}`.",
            )

    def _begin(self, snapshot: str, layers: dict[str, list[str]]) -> None:
        self._clear()
        shutil.rmtree(self.folder, ignore_errors=True)
        LABS.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700)
        if snapshot:
            snapshots.lay_out(snapshots.find(self.cache, snapshot), self.folder)
        else:
            state.save(self.folder, state.State(free_subnet(self.name), layers))

    def _ensure_network(self) -> None:
        if not self.network.is_laid():
            self._clear()
            require_free(self.plan.subnet)
            self.network.build()
        if not self.network.leads_out():
            self.network.open_the_way_out()

    def _clear(self) -> None:
        """End every process of the lab and release its mounts and links; disks stay."""
        nowhere = LabPlan(self.name, 0)
        self.group.kill()
        for name in MACHINES:
            Machine(name, nowhere, self.folder, self.group).release()
        mounts.unmount_below(self.folder)
        remove_link(nowhere.link)

    def _start(self, name: str) -> None:
        layers = [Path(layer) for layer in self._state().layers[name]]
        if missing := next((layer for layer in layers if not layer.exists()), None):
            raise PaquetError(f"The image {missing} is gone", "Run `paquet lab down`, then up.")
        plan, texts = self.plan, keys.of_machine(self.folder, name)
        files = identity_files(name, plan.address("internet"), texts)
        if name == "internet":
            files |= internet.files(plan, internet.world(self.folder, plan))
        self.machine(name).start(layers, files)

    def _start_all(self) -> None:
        for name in MACHINES:
            if not self.machine(name).is_running():
                self._start(name)
        for name in MACHINES:
            self._wait(name)

    def _wait(self, name: str) -> None:
        self.machine(name).wait()
        if name == "internet":
            self._join_the_world()

    def _join_the_world(self) -> None:
        """Wait for the internet of the lab, and write down what others need to know."""
        internet.wait(self.plan)
        world = internet.world(self.folder, self.plan)
        facts.write(self.folder, self.plan, world)
        facts.trust_the_authority(self.folder, self.plan, world.authority)


def _leave_nothing() -> None:
    """When the last lab of this computer is down, give back what labs share."""
    if LABS.exists() and not state.all_labs(LABS):
        limits.restore(INOTIFY, LABS)
        with suppress(OSError):  # somebody keeps labs on a disk that is mounted here
            LABS.rmdir()


def require_host() -> None:
    """Raise PaquetError when this computer cannot run a lab."""
    if lacking := what_this_computer_lacks():
        raise PaquetError(
            f"This computer cannot run a lab: {lacking}",
            f"As root on Debian 12 or 13: apt install {' '.join(images.HOST_PACKAGES)}",
        )


def what_this_computer_lacks() -> str:
    """Return why no lab can run here, or nothing when it can."""
    if not Path("/proc/self/ns/net").exists():
        return "it is not Linux"
    if os.geteuid() != 0:
        return "you are not root"
    absent = [name for name in images.HOST_PROGRAMS if not commands.is_installed(name)]
    return f"it has no {', '.join(absent)}" if absent else ""
