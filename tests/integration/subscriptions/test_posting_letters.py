"""Each letter leaves once, with what belongs to it, whatever goes wrong on the way."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from facturx import get_facturx_xml_from_pdf
from sqlalchemy import select

from provision import database
from provision.errors import PaquetError
from provision.post.models import Letter
from provision.process import files
from provision.registry.models import Event
from provision.workflows import posting
from tests.integration.subscriptions.conftest import START, newcomer
from tests.integration.subscriptions.mail_taker import STEPS
from tests.integration.subscriptions.paying_shop import open_till
from tests.integration.subscriptions.post_office import SENDER, open_office

if TYPE_CHECKING:
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.mail_taker import Taker
    from tests.integration.subscriptions.post_office import Office

TOP = Path(__file__).parents[3]
DAY = START + timedelta(days=1)
LARGE = 8_000_000


def enclose(office: Office, content: bytes) -> None:
    with database.transaction(office.control.engine) as session:
        session.scalars(select(Letter)).one().enclosures[0].content = content


@pytest.fixture
def office(shop: Shop, tmp_path: Path, taker: Taker) -> Office:
    """Jeanne was billed ten euros."""
    opened = open_office(open_till(shop), tmp_path, taker)
    shop.subscribe(shop.jeanne)
    shop.bill(DAY)
    return opened


def test_an_invoice_leaves_once_with_its_factur_x(office: Office) -> None:
    assert office.gather() == {"invoice": 1}
    assert office.gather() == {}

    (posted,) = office.send()
    assert (posted.state, office.send()) == ("sent", [])

    (message,) = office.taker.messages()
    assert office.taker.taken[0][0] == "jeanne@exemple.test"
    assert str(message["From"]) == f"Boutique Libre <{SENDER}>"
    assert str(message["Reply-To"]) == "Boutique Libre <bonjour@exemple.test>"
    assert str(message["Subject"]) == "Facture F2026-000001 : 10,00 €"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] is None
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds[1:] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/pdf",
    ]
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == "F2026-000001.pdf"
    name, xml = get_facturx_xml_from_pdf(BytesIO(attached.get_content()))
    assert (name, b"F2026-000001" in xml) == ("factur-x.xml", True)


def test_every_change_is_an_event_and_none_names_anybody(office: Office) -> None:
    office.gather()
    office.send()
    with database.reading(office.control.engine) as session:
        events = list(session.scalars(select(Event).where(Event.subject == "letter:1")))
    assert [event.what for event in events] == ["waiting → sending", "sending → sent"]
    assert not any("jeanne" in (event.what + event.why).lower() for event in events)


def test_nothing_older_than_the_day_of_the_settings_is_written_or_sent(
    shop: Shop, tmp_path: Path, taker: Taker
) -> None:
    office = open_office(open_till(shop), tmp_path, taker, since="2026-02-01")
    shop.subscribe(shop.jeanne)
    shop.bill(DAY, date(2026, 2, 2))
    assert office.gather() == {"invoice": 1}
    assert [letter.key for letter in office.letters()] == [f"invoice:{shop.seller.id}:F2026-000002"]
    assert [posted.state for posted in office.send()] == ["cancelled"]  # written on 3 January
    assert office.taker.taken == []


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "BODY"])
def test_what_is_lost_before_its_end_is_sent_again_and_arrives_once(
    office: Office, step: str
) -> None:
    office.gather()
    if step == "BODY":  # more than the network holds: the end was not on its way yet
        enclose(office, bytes(LARGE))
    office.taker.breaks.append(step)
    assert [posted.state for posted in office.send()] == ["waiting"]
    assert office.send() == []
    office.later(timedelta(minutes=5))
    assert [posted.state for posted in office.send()] == ["sent"]
    assert len(office.taker.taken) == 1


@pytest.mark.parametrize(("step", "taken"), [("END", 0), ("TAKEN", 1)])
def test_what_is_lost_after_its_end_is_for_a_person_to_look_at(
    office: Office, step: str, taken: int
) -> None:
    office.gather()
    office.taker.breaks.append(step)
    (posted,) = office.send()
    assert (posted.state, "It may have left" in posted.words) == ("held", True)
    office.later(timedelta(days=3))
    assert (office.send(), len(office.taker.taken)) == ([], taken)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("step", STEPS)
def test_a_letter_whose_sender_is_killed_never_leaves_twice(office: Office, step: str) -> None:
    office.gather()
    call = [sys.executable, "-m", "cli", "--config", str(office.folder / "paquet.toml")]
    child = subprocess.Popen([*call, "post", "send", "--yes"], cwd=TOP, stderr=subprocess.PIPE)
    office.taker.kills[step] = child.pid
    _out, said = child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL, said.decode()
    office.taker.idle.wait(10)  # it goes on with what it was told before
    before = len(office.taker.taken)
    assert before == (step in ("END", "TAKEN")) or step == "BODY"

    if step in ("EHLO", "AUTH"):
        assert [posted.state for posted in office.send()] == ["sent"]
        return
    assert (office.send(), office.states()) == ([], ["sending"])  # it may be another's
    assert posting.recover(office.control, 1) == "held"
    assert (office.send(), len(office.taker.taken)) == ([], before)


def test_a_server_that_wants_no_more_for_now_ends_the_run_and_costs_no_try(office: Office) -> None:
    shop = office.till.shop
    shop.subscribe(newcomer(shop.session, "Luc"))
    shop.bill(DAY)
    office.gather()
    office.taker.answers["END"] = ['451 4.7.1 Ratelimit "paquet_user" exceeded']
    assert [posted.state for posted in office.send()] == ["waiting"]
    assert [(letter.state, letter.tries) for letter in office.letters()] == [("waiting", 0)] * 2
    office.later(timedelta(minutes=5))
    assert [posted.state for posted in office.send()] == ["sent", "sent"]


def test_tries_have_growing_pauses_and_an_end(office: Office) -> None:
    office.gather()
    office.taker.answers["RCPT"] = ["450 4.2.0 later"] * 6
    for minutes in (5, 30, 120, 480, 1440):
        assert [posted.state for posted in office.send()] == ["waiting"]
        office.later(timedelta(minutes=minutes) - timedelta(seconds=1))
        assert office.send() == []
        office.later(timedelta(seconds=1))
    assert [posted.state for posted in office.send()] == ["held"]


@pytest.mark.parametrize(
    ("step", "said", "state"),
    [
        ("RCPT", "550 5.1.1 nobody", "bounced"),
        ("RCPT", "550 no status", "held"),
        ("RCPT", "550 5.2.0 Mail rejected OFR_506", "held"),
        ("RCPT", "552 5.1.1 Recipient overquota OFR_417", "held"),
        ("RCPT", "554 5.7.1 we do not like you", "held"),
        ("RCPT", "552 5.2.2 full", "held"),
        ("DATA", "554 5.5.1 no", "held"),
        ("END", "554 5.7.1 spam", "held"),
    ],
)
def test_a_refusal_is_held_and_an_address_that_does_not_exist_has_bounced(
    office: Office, step: str, said: str, state: str
) -> None:
    office.gather()
    office.taker.answers[step] = [said]
    (posted,) = office.send()
    assert (posted.state, posted.words) == (state, said)


def test_letters_to_an_address_that_does_not_exist_go_on_paper_until_it_changes(
    office: Office,
) -> None:
    office.gather()
    office.taker.answers["RCPT"] = ["550 5.1.1 nobody"]
    office.send()
    shop = office.till.shop
    shop.bill(date(2026, 2, 2))
    office.later(timedelta(days=31))
    office.gather()
    assert [(letter.state, letter.email) for letter in office.letters()][1] == ("held", None)

    shop.jeanne.email = "jeanne.neuve@exemple.test"
    shop.bill(date(2026, 3, 2))
    office.later(timedelta(days=31))
    office.gather()
    office.send()
    assert [to for to, _content in office.taker.taken] == ["jeanne.neuve@exemple.test"]


def test_a_wrong_secret_and_a_server_that_is_away_leave_letters_waiting(office: Office) -> None:
    office.gather()
    office.taker.answers["AUTH"] = ["535 5.7.8 no"]
    with pytest.raises(PaquetError, match="does not know"):
        office.send()
    office.taker.breaks.append("EHLO")
    with pytest.raises(PaquetError, match="takes no letters"):
        office.send()
    assert office.states() == ["waiting"]


def test_two_runs_on_one_machine_do_not_send_at_double_pace(office: Office) -> None:
    office.gather()
    with files.locked_if_free(office.control.settings.state / posting.LOCK) as is_free:
        assert is_free
        assert office.send() == []
    assert [posted.state for posted in office.send()] == ["sent"]


def test_what_cannot_be_enclosed_is_held(office: Office) -> None:
    office.gather()
    with database.transaction(office.control.engine) as session:
        letter = session.scalars(select(Letter)).one()
        letter.enclosures[0].reference = f"invoice:{office.till.seller.id}:F2026-999999"
    (posted,) = office.send()
    assert posted.state == "held"
    assert office.taker.taken == []
