"""What gets a letter, what gets none any more, and what is forgotten."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, func, select

from provision import database
from provision.errors import UsageRefused
from provision.post import gathered, outbox
from provision.post.models import Letter, LetterEnclosure
from provision.post.outbox import Correspondent, Enclosed, NewLetter, Recipient
from provision.registry.models import Event, Order
from provision.subscriptions.dunning import pauses
from provision.subscriptions.privacy import exporting, purging
from provision.workflows import (
    posting_by_hand,
    posting_gathering,
    posting_listing,
    posting_paper,
    privacy,
)
from provision.workflows.posting_by_hand import Addressed
from tests.integration.subscriptions.conftest import START, newcomer
from tests.integration.subscriptions.dunning_street import open_street, pay_all
from tests.integration.subscriptions.giving_shop import open_desk
from tests.integration.subscriptions.paying_shop import COLLECT_ON, TOLD, till_of_debits
from tests.integration.subscriptions.post_office import NOON, open_office

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.dunning_street import Street
    from tests.integration.subscriptions.giving_shop import Desk
    from tests.integration.subscriptions.mail_taker import Taker
    from tests.integration.subscriptions.post_office import Office

JEANNE = Addressed(subscriber="jeanne@exemple.test")


@pytest.fixture
def street(shop: Shop, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Street:
    return open_street(shop, engine, tmp_path, monkeypatch)


@pytest.fixture
def office(street: Street, tmp_path: Path, taker: Taker) -> Office:
    """Jeanne has an older bundle and an invoice; on 1 February reminders are due."""
    street.till.session.scalars(select(Order)).one().placed_at = datetime(2025, 12, 1, tzinfo=UTC)
    opened = open_office(street.till, tmp_path, taker)
    opened.control = replace(opened.control, clock=street.control.clock)
    street.control = opened.control
    return opened


def subjects(office: Office) -> list[str]:
    return [str(message["Subject"]) for message in office.taker.messages()]


def test_a_delivered_order_is_welcomed_without_a_secret(office: Office) -> None:
    with database.transaction(office.control.engine) as session:
        session.scalars(select(Order)).one().placed_at = datetime(2026, 1, 2, tzinfo=UTC)
    assert office.gather() == {"invoice": 1, "welcome": 1}
    office.send()
    welcome = office.taker.messages()[1]
    assert str(welcome["Subject"]) == "Bienvenue : jeanne.paquet.test est prêt"
    text = welcome.get_content() if not welcome.is_multipart() else ""
    assert "throw-away" not in text


def test_a_reminder_is_written_with_the_row_that_says_so_and_leaves(
    street: Street, office: Office
) -> None:
    assert street.run(5) == [("notice", "")]
    (letter,) = office.letters()
    assert (letter.kind, letter.about) == (
        "reminder",
        f"invoice:{street.till.seller.id}:F2026-000001=1000",
    )
    office.send()
    assert subjects(office) == ["Facture en attente : facture F2026-000001"]


def test_a_reminder_of_what_was_paid_meanwhile_is_not_sent(street: Street, office: Office) -> None:
    street.run(5)
    pay_all(street, 6)
    assert [posted.state for posted in office.send()] == ["cancelled"]
    assert office.taker.taken == []


def test_a_reminder_waits_while_its_person_is_left_in_peace(street: Street, office: Office) -> None:
    street.run(5)
    session, days = street.till.session, (date(2026, 1, 1), None)
    shop = street.till.shop
    pauses.pause(session, shop.seller, shop.jeanne, days, (START, replace(TOLD, why="Malade")))
    assert [posted.words for posted in office.send()] == ["Paused: Malade"]
    assert (office.states(), office.taker.taken) == (["waiting"], [])


def test_nothing_leaves_to_who_is_held_back_and_all_does_when_released(office: Office) -> None:
    office.gather()
    told = office.control.told("a dispute")
    with database.transaction(office.control.engine) as session:
        posting_by_hand.hold(session, JEANNE, told, for_good=False)
    assert [posted.words for posted in office.send()] == ["Paused: a dispute"]
    with database.transaction(office.control.engine) as session:
        posting_by_hand.release(session, JEANNE, told)
    assert [posted.state for posted in office.send()] == ["sent"]


def test_a_letter_is_held_released_and_ended_for_good(office: Office) -> None:
    office.gather()
    told = office.control.told("a mistake")
    with database.transaction(office.control.engine) as session:
        posting_by_hand.hold(session, Addressed(1), told, for_good=False)
    assert office.send() == []
    with database.transaction(office.control.engine) as session:
        posting_by_hand.release(session, Addressed(1), told)
        with pytest.raises(UsageRefused, match="not held"):
            posting_by_hand.release(session, Addressed(1), told)
        posting_by_hand.hold(session, Addressed(1), told, for_good=True)
    assert (office.send(), office.gather(), office.states()) == ([], {}, ["cancelled"])


def test_a_debit_that_is_announced_gets_one_letter(
    shop: Shop, tmp_path: Path, taker: Taker
) -> None:
    till = till_of_debits(shop)
    office = open_office(till, tmp_path, taker)
    office.gather()
    till.collect()
    assert office.gather() == {"debit": 2}
    office.send()
    assert subjects(office)[2:] == [
        "Prélèvement de 10,00 € le 02/02/2026 : facture F2026-000001",
        "Prélèvement de 10,00 € le 02/02/2026 : facture F2026-000002",
    ]
    assert office.gather() == {}


def test_nobody_is_told_of_a_debit_that_is_over(shop: Shop, tmp_path: Path, taker: Taker) -> None:
    till = till_of_debits(shop)
    office = open_office(till, tmp_path, taker)
    till.collect()
    office.later(COLLECT_ON - NOON.date())
    assert office.gather() == {"invoice": 2}


def test_a_receipt_goes_as_its_original_and_only_once(
    shop: Shop, tmp_path: Path, taker: Taker
) -> None:
    desk: Desk = open_desk(shop)
    receipt = desk.record(desk.gift())
    desk.session.commit()
    office = open_office_of(desk, tmp_path, taker)
    assert office.gather() == {"receipt": 1}
    assert office.gather() == {}
    office.send()
    (message,) = office.taker.messages()
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == f"{receipt.series}-000001.pdf"
    assert attached.get_content().startswith(b"%PDF")


def test_what_was_looked_through_is_not_read_again_unless_letters_begin_earlier(
    office: Office,
) -> None:
    shop = office.till.shop
    settings = office.control.settings
    late = settings.post.model_copy(update={"since": date(2026, 2, 1)})
    office.control = replace(office.control, settings=settings.model_copy(update={"post": late}))
    assert office.gather() == {}
    shop.bill(date(2026, 2, 2))
    assert office.gather() == {"invoice": 1}
    with database.reading(office.control.engine) as session:
        assert gathered.numbers(session, date(2026, 2, 1)) == {(shop.seller.id, "F2026"): 2}
        assert gathered.numbers(session, date(2026, 1, 1)) == {}
    read: list[str] = []
    listened = office.control.engine
    event.listen(listened, "before_cursor_execute", lambda *said: read.append(said[2]))
    assert office.gather() == {}
    assert not [said for said in read if "person_reference" in said and "invoice" in said]
    office.control = replace(office.control, settings=settings)
    assert office.gather() == {"invoice": 1}
    shop.bill(date(2026, 3, 2))
    assert office.gather() == {"invoice": 1}
    keys = [letter.key.rpartition(":")[2] for letter in office.letters()]
    assert keys == ["F2026-000002", "F2026-000001", "F2026-000003"]


def open_office_of(desk: Desk, folder: Path, taker: Taker) -> Office:
    """Open an office on the second of March, at the association's desk."""
    opened = open_office(desk, folder, taker)  # type: ignore[arg-type] # any open unit of work
    opened.later(timedelta(days=60))
    return opened


def test_two_who_gather_at_one_moment_write_each_letter_once(office: Office) -> None:
    shop = office.till.shop
    for number in range(20):
        shop.subscribe(newcomer(shop.session, f"Luc{number}"))
    shop.bill(START + timedelta(days=1))
    done: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: done.append(sum(posting_gathering.gather(office.control).values()))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4
    keys = [letter.key for letter in office.letters()]
    assert len(keys) == len(set(keys)) == 21


def test_letters_without_any_address_are_held_and_those_on_paper_are_printed(
    office: Office, tmp_path: Path
) -> None:
    shop = office.till.shop
    with_address = newcomer(shop.session, "Librairie", kind="company")
    with_address.email = "plus-rien@exemple.test"
    shop.jeanne.email = ""  # another branch lets people have none
    shop.subscribe(with_address)
    shop.bill(START + timedelta(days=1))
    office.taker.answers["RCPT"] = ["550 5.1.1 nobody"]
    office.gather()
    office.send()
    assert sorted(office.states()) == ["bounced", "held"]

    laid = posting_paper.waiting(office.control)
    assert [paper.letter.to_name for paper in laid.letters] == ["Librairie"]
    path, sheets = posting_paper.write(office.control, laid, tmp_path / "box")
    assert path.stat().st_mode & 0o777 == 0o600
    ((_number, first, count),) = sheets.places
    assert (first, count) == (2, 2)  # the letter, and its invoice
    assert posting_paper.printed(office.control, laid) == [laid.letters[0].letter.id]
    assert sorted(office.states()) == ["held", "printed"]
    assert posting_paper.waiting(office.control).letters == ()


def test_an_export_has_the_letters_of_a_person_with_what_was_enclosed(office: Office) -> None:
    office.gather()
    with database.reading(office.control.engine) as session:
        letter = session.scalars(select(Letter)).one()
        person = posting_listing.subscriber(session, "jeanne@exemple.test")
        collected = exporting.collect(session, person)
    assert collected["letter"][0]["subject"] == letter.subject
    assert collected["letter_enclosure"][0]["name"] == "F2026-000001.pdf"


def test_who_is_erased_leaves_letters_without_words_that_never_come_again(
    office: Office,
) -> None:
    today = date(2026, 2, 1)
    to = Recipient("Jeanne", "jeanne@exemple.test", "fr", "", "", office.till.shop.jeanne.id)
    words = ("Bonjour Jeanne", "Bonjour Jeanne\n")
    letter = NewLetter("word:1", "word", today, Correspondent("Les Amis"), to, *words)
    letter = replace(letter, enclosed=(Enclosed("jeanne.pdf", content=b"%PDF"),))
    with database.transaction(office.control.engine) as session:
        assert outbox.write(session, letter, office.control.clock())
    with database.transaction(office.control.engine) as session:
        told = office.control.told("erased")
        outbox.give_up(session, office.till.shop.jeanne.id, told)
        outbox.forget(session, outbox.get(session, 1), told)
    with database.transaction(office.control.engine) as session:
        (kept,) = session.scalars(select(Letter))
        assert (kept.key, kept.state, kept.text, kept.email) == ("word:1", "cancelled", "", None)
        assert session.scalar(select(func.count()).select_from(LetterEnclosure)) == 0
        assert not outbox.write(session, letter, office.control.clock())
        assert "Jeanne" not in "".join(event.why for event in session.scalars(select(Event)))


def test_words_go_two_years_after_they_were_written_and_not_before(office: Office) -> None:
    office.gather()
    office.send()
    with database.reading(office.control.engine) as session:
        last, first = date(2028, 2, 1), date(2028, 2, 2)
        assert [going.kind for going in privacy.due(session, last) if going.rule == "letter"] == []
        due = [going for going in privacy.due(session, first) if going.rule == "letter"]
    assert [going.kind for going in due] == ["letter"]
    assert privacy.purge(office.control, due) == due
    (letter,) = office.letters()
    assert (letter.state, letter.text, letter.to_name) == ("sent", "", "")
    assert letter.key == f"invoice:{office.till.seller.id}:F2026-000001"
    with database.reading(office.control.engine) as session:
        assert [going for going in purging.due(session, first) if going.rule == "letter"] == []
    assert office.gather() == {}
