"""The labs of the tests: one for the whole run, and others for tests that take theirs apart."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision.commands.begin import lab as lab_command
from provision.commands.shared.context import Context
from provision.lab.lab import what_this_computer_lacks
from provision.servers import artifacts
from tests.lab import mail_clients as mail
from tests.lab.region import attach, make_region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provision.lab.lab import Lab
    from tests.lab.mail_clients import Device
    from tests.lab.region import Delivered, Region

PROCESS_IDS = 100_000


def new_lab(prefix: str) -> Lab:
    """Return a lab, not yet up, whose name no other test run has."""
    if lacking := what_this_computer_lacks():
        pytest.skip(f"no lab here: {lacking}")
    return lab_command.chosen(Context(Path("paquet.toml")), prefix + fresh())


def fresh() -> str:
    """Return letters that no other test run has in its names: a region may stand for many."""
    return str(os.getpid() % PROCESS_IDS)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The lab of this test run, up, with bare servers; do not stop its machines."""
    made = new_lab("t")
    try:
        made.up()
        yield made
    finally:
        made.down()


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    """A lab of its own with prepared servers, and the control machine that commands them."""
    if standing := os.environ.get("PAQUET_TEST_REGION"):
        yield attach(Path(standing))
        return
    made = new_lab("r")
    try:
        made.up()
        yield make_region(made, tmp_path_factory.mktemp("region"))
    finally:
        made.down()


@pytest.fixture(scope="session")
def light(region: Region) -> Delivered:
    """A delivered bundle with the light cloud and a second user."""
    return region.order(f"claire{fresh()}.paquet.test").with_neighbour()


@pytest.fixture(scope="session")
def nextcloud(region: Region) -> Delivered:
    """A delivered bundle with Nextcloud and a second user."""
    if not artifacts.cached(region.control.settings, "nextcloud"):
        pytest.skip("no Nextcloud archive is in the cache: see `paquet artifact --help`")
    return region.order(f"nora{fresh()}.paquet.test", cloud="nextcloud").with_neighbour()


@pytest.fixture(scope="session", params=["light", "nextcloud"])
def delivered_bundle(request: pytest.FixtureRequest) -> Delivered:
    """A delivered bundle of each cloud."""
    delivered: Delivered = request.getfixturevalue(request.param)
    return delivered


@pytest.fixture(scope="session")
def bundle(light: Delivered) -> Delivered:
    """The bundle whose mail is tested; mail does not depend on the cloud."""
    return light


@pytest.fixture
def mail_names(bundle: Delivered, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let mail clients in this process find the servers by the names that the bundle has."""
    monkeypatch.setattr(socket, "getaddrinfo", mail.tell_names(bundle, socket.getaddrinfo))


@pytest.fixture(scope="module")
def swaks(bundle: Delivered) -> None:
    """A machine of the internet that sends what it is told, wrong or right."""
    mail.install_swaks(bundle.internet)


@pytest.fixture
def other(bundle: Delivered) -> Iterator[Device]:
    """Another user's mailbox in the bundle, for one test."""
    with mail.mailbox(bundle) as made:
        yield made


@pytest.fixture
def another_lab() -> Iterator[Callable[[str], Lab]]:
    """Return a maker of labs for one test, by a prefix of one or two letters; not yet up."""
    made: list[Lab] = []

    def make(prefix: str) -> Lab:
        made.append(new_lab(prefix))
        return made[-1]

    try:
        yield make
    finally:
        for one in made:
            one.down()
