"""Letters of a business leave from a bundle of ours and arrive at a foreign server, each once."""

from __future__ import annotations

import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.policy import default
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

import dkim
import pytest
from facturx import get_facturx_xml_from_pdf
from pypdf import PdfReader
from sqlalchemy import select

from provision import settings
from provision.post import addresses, outbox
from provision.post.models import Letter
from provision.post.outbox import Correspondent, NewLetter, Recipient
from provision.registry.models import Subscriber
from provision.shipped import share
from provision.subscriptions.documents import describing, open_items
from provision.subscriptions.dunning import policy
from provision.subscriptions.parties import organisations, profiles
from provision.subscriptions.parties.profiles import Address, Profile
from provision.subscriptions.selling import billing
from provision.workflows import (
    dunning,
    posting,
    posting_gathering,
    posting_paper,
    posting_sender,
    rehearsal,
)
from provision.workflows.dunning import Campaign
from tests.lab import mail_clients as mail
from tests.lab import neighbours
from tests.lab.conftest import fresh
from tests.lab.mail_clients import Device
from tests.lab.post_killer import STEPS

if TYPE_CHECKING:
    from datetime import date
    from email.message import EmailMessage
    from pathlib import Path

    from provision.workflows.control import Control
    from tests.lab.region import Delivered, Region

pytestmark = pytest.mark.lab

PATIENCE = 60.0
ROUNDS, LETTERS, MANY = 8, 3, 12
# What the server's log proves of letters whose sender was killed at a step.
PROVED = {
    "DATA": "it was not taken",
    "body": "it was not taken",
    "dot": "the log says",
    "commit": "the log says",
}


@dataclass(frozen=True)
class LabOffice:
    """The control machine with a sender, the bundle that it lives in, and its settings file."""

    control: Control
    bundle: Delivered
    config: Path

    @property
    def person(self) -> str:
        """The address abroad of who subscribed."""
        return self.bundle.delivery.bundle.subscriber.email

    def write(self, email: str | None, kind: str = "word", address: str = "") -> str:
        """Write a letter, and return its key."""
        key = f"{kind}:{secrets.token_hex(6)}"
        today = self.control.today()
        to = Recipient(f"Zoé {key[-6:]}", email, "fr", address, "14000")
        sender = Correspondent(
            "Atelier du Web", "atelier@exemple.test", "1 rue du Port\n14000 Caen"
        )
        letter = NewLetter(key, kind, today, sender, to, f"Bonjour {key}", f"Un mot : {key}\n")
        with self.control.session() as session:
            assert outbox.write(session, letter, self.control.clock())
        return key

    def letter(self, key: str) -> Letter:
        with self.control.reading() as session:
            return session.scalars(select(Letter).where(Letter.key == key)).one()

    def send(self) -> None:
        posting.send(self.control, lambda _seconds: None)

    def abroad(self, letter: Letter) -> list[EmailMessage]:
        """Return the messages at the foreign server that are this letter."""
        every = [message_from_bytes(one, policy=default) for one in self.bundle.foreign_messages()]
        return [one for one in every if one["Message-ID"] == letter.message_id]

    def settle(self) -> None:
        """Find out what became of all that was under way when its sender was killed."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with self.control.reading() as session:
                numbers = outbox.sending(session)
            if "sending" not in {posting.recover(self.control, number) for number in numbers}:
                return
            time.sleep(1)
        raise AssertionError("a letter stayed under way")


@pytest.fixture(scope="module")
def office(region: Region) -> LabOffice:
    """A business that sends from a bundle of ours, and somebody abroad who subscribed."""
    place = f"post{fresh()}{secrets.token_hex(2)}"
    email = f"camille+{place}@ailleurs.test"
    bundle = region.order(f"{place}.paquet.test", email=email, login="post")
    config = region.folder / f"paquet-{place}.toml"
    text = (region.folder / "paquet.toml").read_text("utf-8")
    today = region.control.today()
    said = f'[post]\naddress = "{bundle.address}"\nsince = {today}\nper_minute = 600\n'
    config.write_text(re.sub(r"^\[post\]\n(.+\n)*", "", text, flags=re.MULTILINE) + said, "utf-8")
    control = replace(region.control, settings=settings.load(config))
    with control.session() as session:
        seller = organisations.get(session, rehearsal.SELLER)
        if profiles.on(session, seller.id, today) is None:
            organisations.identify(session, seller, "732 829 320")
            describing.describe(session, seller, profile(), today)
    billing.bill(control.engine, today)
    assert posting_sender.enrol(control) == bundle.bundle.server
    return LabOffice(control, bundle, config)


def profile() -> Profile:
    return Profile(
        name=rehearsal.SELLER,
        legal="SARL, Caen",
        address=Address(lines=("1 rue du Port",), postcode="14000", city="Caen"),
        email="atelier@exemple.test",
        vat="franchise",
    )


def reminded(office: LabOffice, folder: Path) -> date:
    """Remind who owes, on the day on which it is time for it."""
    with office.control.reading() as session:
        seller = organisations.get(session, rehearsal.SELLER)
        due_on = max(item.due_on for item in open_items.everything(session, seller.id))
    rules = policy.read(share("templates") / "money/dunning.example.toml")
    on = due_on.replace(year=due_on.year + 1)
    dunning.run(office.control, Campaign(rehearsal.SELLER, rules, on, folder))
    return on


def test_an_invoice_a_welcome_and_a_reminder_arrive_signed_and_once(
    office: LabOffice, tmp_path: Path
) -> None:
    posting_gathering.gather(office.control)
    reminded(office, tmp_path)
    office.send()
    with office.control.reading() as session:
        person = session.scalars(select(Subscriber).where(Subscriber.email == office.person)).one()
        letters = list(session.scalars(select(Letter).where(Letter.subscriber_id == person.id)))
    assert {letter.kind for letter in letters} == {"invoice", "welcome", "reminder"}
    for letter in letters:
        assert (letter.state, "queued as" in letter.message) == ("sent", True)
        message = mail.await_some(partial(office.abroad, letter), letter.kind, PATIENCE)
        assert str(message["Reply-To"]) == "Atelier du Web <atelier@exemple.test>"
        assert str(message["From"]) == f"Atelier du Web <{office.bundle.address}>"
        if letter.kind == "invoice":
            (attached,) = message.iter_attachments()
            name, _xml = get_facturx_xml_from_pdf(BytesIO(attached.get_content()))
            assert name == "factur-x.xml"
    look_up = mail.txt(office.bundle)
    raw = [one for one in office.bundle.foreign_messages() if office.person.encode() in one]
    assert len(raw) == len(letters)
    for content in raw:
        assert f"d={office.bundle.domain};".encode() in content
        assert dkim.verify(content, dnsfunc=look_up)


def kill(office: LabOffice, step: str) -> None:
    """Let a sender be killed at a step, or at any moment."""
    if step in STEPS:
        command = [sys.executable, "-m", "tests.lab.post_killer", str(office.config), step]
        done = subprocess.run(command, check=False, timeout=PATIENCE, capture_output=True)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        return
    call = [sys.executable, "-m", "cli", "--config", str(office.config), "post", "send", "--yes"]
    child = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1 + random.random() * 3)  # noqa: S311 (no secret)
    child.kill()
    child.wait()


@pytest.mark.parametrize("step", [*STEPS, "any moment"])
def test_each_letter_arrives_once_however_often_its_sender_is_killed(
    office: LabOffice, step: str
) -> None:
    count = LETTERS if step in STEPS else MANY
    keys = [office.write(office.bundle.foreign_address) for _ in range(count)]
    for _round in range(LETTERS if step in STEPS else ROUNDS):
        kill(office, step)
        office.settle()
    if step in PROVED:
        assert any(PROVED[step] in office.letter(key).message for key in keys)
    office.send()
    for key in keys:
        letter = office.letter(key)
        assert letter.state == "sent"
        mail.await_some(partial(office.abroad, letter), key, PATIENCE)
    time.sleep(2)
    assert [len(office.abroad(office.letter(key))) for key in keys] == [1] * count


FLOOD, LINES = 30, 100_000  # more than journald lets a unit say in its interval, on any disk
AS_POSTFIX = """
import logging.handlers, os, subprocess
group = subprocess.check_output(["systemctl", "show", "-P", "ControlGroup", "postfix"], text=True)
for top in ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd"):
    place = top + group.strip() + "/cgroup.procs"
    if os.path.exists(place):
        open(place, "w").write(str(os.getpid()))
log = logging.handlers.SysLogHandler("/dev/log", logging.handlers.SysLogHandler.LOG_MAIL)
line = {{"levelname": "INFO"}}  # limits are counted for each level: that of Postfix's own lines
for number in range({lines}):
    line["msg"] = f"postfix/smtpd[1]: connect {{number}}"
    log.emit(logging.makeLogRecord(line))
"""
FORGED = (
    "ABCDEF123456: message-id={}",
    "ABCDEF123456: from=<a@b.c>, size=1, nrcpt=1 (queue active)",
)


def test_what_a_bundle_beside_writes_into_the_log_proves_nothing(
    office: LabOffice, region: Region
) -> None:
    beside = region.order(f"beside{fresh()}.paquet.test")
    key = office.write(office.bundle.foreign_address)
    kill(office, "DATA")
    for line in FORGED:
        said = line.format(office.letter(key).message_id)
        words = ["logger", "--id=1", "--tag", "postfix/cleanup", "--priority", "mail.info", said]
        beside.server.run(neighbours.as_user(beside, *words))
    office.settle()
    letter = office.letter(key)
    assert (letter.state, letter.message) == ("waiting", "it was not taken")
    office.send()
    mail.await_some(partial(office.abroad, office.letter(key)), key, PATIENCE)


def test_a_flood_of_lines_makes_no_letter_leave_twice(office: LabOffice) -> None:
    key = office.write(office.bundle.foreign_address)
    code = AS_POSTFIX.format(lines=LINES)
    began = time.monotonic()
    office.bundle.server.run(["python3", "-I", "-c", code])
    kill(office, "dot")
    assert time.monotonic() - began < FLOOD
    office.settle()
    letter = office.letter(key)
    assert (letter.state, "the log says" in letter.message) == ("sent", True)


def test_what_comes_back_is_noted_and_the_mailbox_stays_as_it_was(
    office: LabOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = f"nobody-{secrets.token_hex(4)}@ailleurs.test"
    key = office.write(nobody)
    office.send()
    assert office.letter(key).state == "sent"

    def bounced() -> list[Letter]:
        posting.came_back(office.control)
        letter = office.letter(key)
        return [letter] if letter.state == "bounced" else []

    letter = mail.await_some(bounced, nobody, PATIENCE)
    assert letter.bounce.startswith("5.1.")
    with office.control.reading() as session:
        assert addresses.unreachable(session, [nobody]) == {nobody}
    names = mail.tell_names(office.bundle, socket.getaddrinfo)
    monkeypatch.setattr(socket, "getaddrinfo", names)
    device = Device("", office.bundle.address, office.bundle.secret)
    with mail.imap(office.bundle, device) as session:
        session.select_folder("INBOX", readonly=True)
        flags = session.get_flags(session.search())
    assert flags
    assert not any(b"\\Seen" in each for each in flags.values())


def test_who_has_no_e_mail_is_written_to_on_paper(office: LabOffice, tmp_path: Path) -> None:
    key = office.write(None, address="3 rue du Four\n61100 Flers")
    laid = posting_paper.waiting(office.control)
    path, sheets = posting_paper.write(office.control, laid, tmp_path / "box", duplex=True)
    number = office.letter(key).id
    (first,) = [page for letter, page, _pages in sheets.places if letter == number]
    text = PdfReader(path).pages[first - 1].extract_text()
    assert key in text
    assert "3 rue du Four" in text
    posting_paper.printed(office.control, laid)
    assert office.letter(key).state == "printed"
