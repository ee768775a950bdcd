"""A rehearsal writes to people who are made up: none of its letters can leave the lab."""

from __future__ import annotations

import shutil
import socket
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from provision.errors import PaquetError
from provision.lab import facts
from provision.lab.plan import LabPlan
from provision.post import outbox
from provision.post.outbox import Correspondent, NewLetter, Recipient
from provision.registry import fences, orders
from provision.registry.orders import DkimKey, Wish
from provision.registry.secrets import open_safe
from provision.workflows import posting, posting_sender, rehearsal
from tests.integration.subscriptions.dunning_street import WISH
from tests.integration.subscriptions.paying_shop import TOLD
from tests.unit.checks.loopback import Authority

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class NoMachines:
    """A lab as settings know it; its machines need not run."""

    folder: Path
    plan: LabPlan
    name: str = "lab"
    mirror: str = "http://deb.debian.org/debian"
    security_mirror: str = "http://deb.debian.org/debian-security"

    @property
    def ssh_key(self) -> Path:
        return self.folder / "login"

    def facts(self) -> dict[str, object]:
        return facts.facts(self.folder, self.plan)


def test_the_only_host_that_a_rehearsal_speaks_to_is_in_the_lab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = LabPlan("lab", 7)
    shutil.copy(Authority(tmp_path).file, tmp_path / facts.TRUSTED)
    lab = NoMachines(tmp_path, plan)
    control = rehearsal.set_up(lab, tmp_path / "rehearsal", lambda _line: None)  # type: ignore[arg-type]
    said = {
        **vars(WISH),
        "login": rehearsal.LOGIN,
        "domain": f"{rehearsal.PLACE}.paquet.test",
        "sold_by": rehearsal.SELLER,
    }
    with control.session() as session:
        fences.known_server(session, "bundles1")
        orders.place(session, Wish(**said), dkim=DkimKey("p", "k"), steps=(), told=TOLD)
        safe = open_safe(session, control.settings.key_file)
        safe.put(posting_sender.OWNER, control.settings.post.address, SecretStr("throw-away"))
        to, sender = Recipient("Paul", "paul@gmail.com"), Correspondent("Nuage")
        since = control.settings.post.since
        assert since is not None
        letter = NewLetter("word:1", "word", since, sender, to, "Bonjour", "Bonjour\n")
        outbox.write(session, letter, control.clock())
    dialled: list[str] = []

    def dial(place: tuple[str, int], *_words: object, **_named: object) -> socket.socket:
        dialled.append(place[0])
        raise OSError("nobody is there")

    monkeypatch.setattr(socket, "create_connection", dial)
    with pytest.raises(PaquetError, match="takes no letters"):
        posting.send(control, lambda _seconds: None)
    with pytest.raises(PaquetError, match="cannot be read"):
        posting.came_back(control)
    assert dialled
    assert all(ip_address(host) in ip_network(plan.network) for host in dialled)
    assert set(dialled) == {plan.address("bundles1")}
