"""A region for the tests: a lab, a control machine for it, prepared servers, delivered bundles.

`python -m tests.lab.region up NAME FOLDER` leaves one standing, and test runs that are told of it
by PAQUET_TEST_REGION=FOLDER use it in place of one of their own, which takes minutes to prepare.
`python -m tests.lab.region down NAME FOLDER` ends it.
"""

from __future__ import annotations

import imaplib
import shutil
import ssl
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provision import database, settings
from provision.commands.begin import lab as lab_command
from provision.commands.shared.context import Context
from provision.jobs import starting
from provision.subscriptions.offers import planfile, plans
from provision.workflows import bundles, devices, kits, ordering, rehearsal, upkeep, users
from provision.workflows.control import Control
from provision.workflows.ordering import Words
from tests.lab.pictures import server_picture

if TYPE_CHECKING:
    from provision.lab.lab import Lab
    from provision.lab.machines import Machine
    from provision.phones.devices import Sync
    from provision.registry.models import Bundle
    from provision.registry.orders import Wish
    from provision.workflows import onboard
    from provision.workflows.devices import Enrolled

NEIGHBOUR = "voisine"
# Small, so that a test can fill it.
PLANS = """
[[plan]]
code = "essai"
name = { fr = "Essai", en = "Trial" }
users = 3
quota_gib = 2
[[plan.price]]
from = 2026-01-01
monthly = "10.00"
"""
WORDS = Words(
    email="jeanne@ailleurs.test",
    name="Jeanne Martin",
    plan="essai",
    domain="",
    cloud="light",
    server=None,
    sold_by=rehearsal.SELLER,
    supported_by=rehearsal.SUPPORTER,
    login=None,
    language=None,
    device="Téléphone",
    kind="android",
)


def make_region(lab: Lab, folder: Path) -> Region:
    """Set a control machine up for `lab`, which is up, and prepare both servers."""
    control = rehearsal.set_up(lab, folder, lambda _line: None)
    rehearsal.prepare_all(control, lab)
    rehearsal.sell(control, control.clock().date())
    with control.session() as session:
        plans.bring_in(session, planfile.parse(PLANS))
    return Region(lab, control, folder, server_picture(lab.machine("bundles1")))


def attach(folder: Path) -> Region:
    """Return the region that was left standing in `folder`."""
    read = settings.load(folder / "paquet.toml")
    control = Control(read, database.connect(read.registry.url), "test")
    lab = lab_command.chosen(Context(folder / "paquet.toml"), (folder / "lab").read_text())
    return Region(lab, control, folder, (folder / "prepared").read_text("utf-8"))


def main() -> None:
    """Put a region up to stay, or take it down."""
    verb, name, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3]).resolve()
    lab = lab_command.chosen(Context(Path("paquet.toml")), name)
    if verb == "down":
        lab.down()
        shutil.rmtree(folder)
        return
    lab.up()
    region = make_region(lab, folder)
    (folder / "lab").write_text(name, "utf-8")
    (folder / "prepared").write_text(region.prepared, "utf-8")


@dataclass(frozen=True)
class Region:
    """A lab whose two servers are prepared, and the control machine that commands them.

    `prepared` is the picture of the bundle server when it was prepared and had no bundle yet.
    """

    lab: Lab
    control: Control
    folder: Path
    prepared: str

    def machine(self, name: str) -> Machine:
        """Return a machine of the lab."""
        return self.lab.machine(name)

    def wish(self, domain: str, **words: str) -> Wish:
        """Return a wish that was checked."""
        typed: dict[str, Any] = {"domain": domain, **words}
        return ordering.check(self.control, replace(WORDS, **typed))

    def order(self, domain: str, **words: str) -> Delivered:
        """Order a bundle and deliver it."""
        wish = self.wish(domain, **words)
        delivery = starting.deliver(self.control, ordering.place(self.control, wish))
        assert delivery.enrolled is not None
        return Delivered(self, delivery.bundle, delivery.enrolled, delivery)


@dataclass(frozen=True)
class Delivered:
    """A delivered bundle, its first device, and how tests act on it."""

    region: Region
    bundle: Bundle
    enrolled: Enrolled
    delivery: onboard.Delivery

    @property
    def name(self) -> str:
        """Its Unix user."""
        return self.bundle.name

    @property
    def cloud(self) -> str:
        """`light` or `nextcloud`."""
        return self.bundle.cloud

    @property
    def domain(self) -> str:
        """What stands behind the @."""
        return self.bundle.domain

    @property
    def address(self) -> str:
        """The first user's login everywhere."""
        return self.bundle.users[0].address

    @property
    def secret(self) -> str:
        """The secret of the first device."""
        return self.enrolled.secret.get_secret_value()

    @cached_property
    def sync(self) -> Sync:
        """What the first device knows."""
        return kits.describe(self.region.control, self.enrolled)

    @property
    def host(self) -> str:
        """The name that serves the cloud."""
        return self.sync.cloud_host

    @property
    def mail_host(self) -> str:
        """The server's own name."""
        return self.sync.mail_host

    @property
    def mail_address(self) -> str:
        """The server's IP address."""
        return self.region.lab.address("bundles1")

    @property
    def authority(self) -> Path:
        """The PEM file of what lab clients trust."""
        ca_file = self.region.control.settings.acme.ca_file
        assert ca_file is not None
        return ca_file

    @property
    def resolver(self) -> str:
        """The address of the lab's resolver."""
        return self.region.lab.address("internet")

    @property
    def server(self) -> Machine:
        """The machine that serves the bundle."""
        return self.region.machine("bundles1")

    @property
    def internet(self) -> Machine:
        """The machine with the foreign mail server."""
        return self.region.machine("internet")

    @property
    def foreign(self) -> dict[str, str]:
        """The foreign mailbox."""
        facts: dict[str, dict[str, str]] = self.region.lab.facts()  # type: ignore[assignment]
        return facts["foreign_mail"]

    @property
    def foreign_address(self) -> str:
        """The address of the foreign mailbox."""
        return self.foreign["address"]

    def foreign_messages(self) -> list[bytes]:
        """Return all messages of the foreign mailbox, by IMAP."""
        foreign = self.foreign
        context = ssl.create_default_context(cafile=str(self.authority))
        context.check_hostname = False  # it is reached by its address
        password = Path(foreign["password_file"]).read_text(encoding="utf-8").strip()
        with imaplib.IMAP4_SSL(foreign["server_address"], ssl_context=context) as session:
            session.login(foreign["login"], password)
            session.select("INBOX", readonly=True)
            numbers = session.search(None, "ALL")[1][0].split()
            fetched = [session.fetch(number, "(BODY.PEEK[])")[1][0] for number in numbers]
        return [part[1] for part in fetched if isinstance(part, tuple)]

    @property
    def neighbour(self) -> str:
        """The address of the second user."""
        return f"{NEIGHBOUR}@{self.domain}"

    @property
    def quota_bytes(self) -> int:
        """What one user may fill."""
        return self.bundle.quota_bytes

    def enrol(self, name: str) -> str:
        """Enrol one more device of the first user and return its secret."""
        new = devices.NewDevice(name, "desktop")
        made = devices.enrol(self.region.control, self.address, new)
        return made.secret.get_secret_value()

    def revoke(self, name: str) -> None:
        """Revoke a device of the first user."""
        devices.revoke(self.region.control, self.address, name)

    def with_neighbour(self) -> Delivered:
        """Return it with a second user."""
        users.add(self.region.control, self.domain, NEIGHBOUR, "Zoé Voisine")
        return replace(self, bundle=bundles.find(self.region.control, self.domain))

    def suspend(self) -> None:
        """Suspend the bundle."""
        upkeep.change_state(self.region.control, self.domain, "suspended", "a test")

    def resume(self) -> None:
        """Open the bundle again."""
        upkeep.change_state(self.region.control, self.domain, "active", "a test")


if __name__ == "__main__":
    main()
