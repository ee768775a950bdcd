"""What changes while a letter waits, or is under way: it says what is true, to where one is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision import database
from provision.errors import PaquetError, UsageRefused
from provision.post import bounces, outbox, smtp
from provision.post.models import Letter
from provision.registry.models import Bundle, Subscriber
from provision.subscriptions.parties import clients
from provision.subscriptions.parties.clients import Called
from provision.subscriptions.payments import mandates, paying
from provision.subscriptions.payments.models import MandateRow
from provision.workflows import (
    posting,
    posting_by_hand,
    posting_enclosures,
    posting_operator,
    posting_paper,
    posting_returns,
)
from provision.workflows.posting_by_hand import Addressed
from tests.integration.subscriptions.conftest import START, newcomer
from tests.integration.subscriptions.dunning_street import open_street
from tests.integration.subscriptions.paying_shop import COLLECT_ON, TOLD, Said, till_of_debits
from tests.integration.subscriptions.post_office import NOON, open_office
from tests.unit.post.post_examples import report

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from provision.post.smtp import ServerAnswer
    from provision.workflows.posting import Posted
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.dunning_street import Street
    from tests.integration.subscriptions.mail_taker import Taker
    from tests.integration.subscriptions.post_office import Office

NEW = "neuve@exemple.test"


@pytest.fixture
def street(shop: Shop, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Street:
    return open_street(shop, engine, tmp_path, monkeypatch)


@pytest.fixture
def office(street: Street, tmp_path: Path, taker: Taker) -> Office:
    """Jeanne has a bundle and owes ten euros."""
    opened = open_office(street.till, tmp_path, taker)
    opened.control = replace(opened.control, clock=street.control.clock)
    street.control = opened.control
    opened.gather()
    opened.send()
    taker.taken.clear()
    return opened


@pytest.fixture
def debits(shop: Shop, tmp_path: Path, taker: Taker) -> Office:
    """Two debits are announced for one day."""
    till = till_of_debits(shop)
    opened = open_office(till, tmp_path, taker)
    opened.gather()
    opened.send()
    till.collect()
    assert opened.gather() == {"debit": 2}
    taker.taken.clear()
    return opened


def written(office: Office, kind: str) -> list[Letter]:
    return [letter for letter in office.letters() if letter.kind == kind]


def moved(session: Session, subscriber_id: int, email: str = NEW) -> None:
    """Let somebody have another e-mail address, and a postal one."""
    person = session.get_one(Subscriber, subscriber_id)
    words = {"lines": ("3 rue du Four",), "postcode": "61100", "city": "Flers"}
    clients.mend(session, person, Called(None, email), words, (NOON.date(), TOLD))


@pytest.mark.parametrize("by_hand", ["retry", "hold", "end"])
def test_nobody_touches_a_letter_that_is_under_way(
    office: Office, street: Street, monkeypatch: pytest.MonkeyPatch, by_hand: str
) -> None:
    street.run(5)
    told = office.control.told("a mistake")
    deliver = smtp.deliver

    def meddled(*words: object) -> ServerAnswer:
        answer = deliver(*words)  # type: ignore[arg-type]
        number = written(office, "reminder")[0].id
        with database.transaction(office.control.engine) as session:
            if by_hand == "retry":
                posting_by_hand.retry(session, number, told)
            else:
                addressed, ends = Addressed(number), by_hand == "end"
                posting_by_hand.hold(session, addressed, told, for_good=ends)
        return answer

    monkeypatch.setattr(smtp, "deliver", meddled)
    with pytest.raises(UsageRefused, match="under way"):
        office.send()
    assert len(office.taker.taken) == 1
    assert office.send() == []


def test_a_reminder_does_not_ask_for_what_was_paid_in_part(office: Office, street: Street) -> None:
    street.run(5)
    session = street.till.session
    (row,) = street.till.bank(Said(600), on=street.day(6))
    (item,) = [item for item in street.till.invoices() if item.units]
    paying.pay(session, row, [item], street.day(6))
    assert [(posted.state, posted.words[:9]) for posted in office.send()] == [("held", "Something")]
    assert office.taker.taken == []


def test_a_letter_goes_to_where_its_person_is_today(office: Office, street: Street) -> None:
    street.run(5)
    (letter,) = written(office, "reminder")
    moved(street.till.session, letter.subscriber_id or 0)
    rows, count = leaving(office)
    assert ([row["by"] for row in rows], count) == ([NEW], 1)
    assert [posted.state for posted in office.send()] == ["sent"]
    assert [to for to, _content in office.taker.taken] == [NEW]


def leaving(office: Office) -> tuple[list[dict[str, object]], int]:
    office.till.session.commit()
    return posting.leaving(office.control)


def test_a_letter_on_paper_has_the_address_of_today(office: Office, street: Street) -> None:
    street.run(5)
    (letter,) = written(office, "reminder")
    moved(street.till.session, letter.subscriber_id or 0, "")
    assert leaving(office)[1] == 0
    assert [posted.state for posted in office.send()] == ["waiting"]
    laid = posting_paper.waiting(office.control)
    assert [paper.letter.address for paper in laid.letters] == ["3 rue du Four\n61100 Flers"]
    posting_paper.printed(office.control, laid)
    (letter,) = written(office, "reminder")
    assert (letter.state, letter.postcode) == ("printed", "61100")


def test_what_comes_back_late_says_nothing_of_the_address_that_came_after(
    office: Office, street: Street
) -> None:
    street.run(5)
    office.send()
    (letter,) = written(office, "reminder")
    late = report(headers=f"Message-ID: {letter.message_id}\n")
    assert note(office, late) == [letter.id]
    moved(street.till.session, letter.subscriber_id or 0)
    street.till.session.commit()
    with database.transaction(office.control.engine) as session:
        posting_by_hand.retry(session, letter.id, office.control.told())
    assert [posted.state for posted in office.send()] == ["sent"]
    assert (note(office, late), written(office, "reminder")[0].gone) == ([], "jeanne@exemple.test")


def note(office: Office, content: bytes) -> list[int]:
    with database.transaction(office.control.engine) as session:
        return posting_returns.note(session, office.control, bounces.parse(content))


def test_nobody_is_told_of_a_debit_once_its_day_has_come(debits: Office) -> None:
    debits.later(COLLECT_ON - NOON.date())
    assert [posted.state for posted in debits.send()] == ["held", "held"]
    assert debits.taker.taken == []


def test_nobody_is_told_of_a_debit_whose_mandate_ended(debits: Office) -> None:
    session = debits.till.session
    row = session.scalars(select(MandateRow).order_by(MandateRow.id)).first()
    assert row is not None
    mandates.end(session, row, NOON.date(), TOLD)
    assert [posted.state for posted in debits.send()] == ["cancelled", "sent"]


def test_nobody_is_welcomed_to_what_is_closed(street: Street, office: Office) -> None:
    with database.transaction(office.control.engine) as session:
        (welcome,) = session.scalars(select(Letter).where(Letter.kind == "welcome"))
        welcome.state = outbox.WAITING
        session.scalars(select(Bundle)).one().state = "closed"
    assert [posted.words for posted in office.send()] == ["The bundle is closed"]
    assert street.till.session is not None


def two_letters(office: Office) -> None:
    """Let another one owe, too: two letters wait."""
    shop = office.till.shop
    for name in ("Luc", "Zoe"):
        shop.subscribe(newcomer(shop.session, name))
    shop.bill(START)
    office.gather()


def waiting(office: Office) -> list[tuple[str, int]]:
    letters = office.letters()
    return [(letter.state, letter.tries) for letter in letters if letter.state != "sent"]


def test_a_sender_who_is_refused_keeps_all_letters_waiting(office: Office) -> None:
    two_letters(office)
    office.taker.answers["MAIL"] = ["550 5.7.1 not you"]
    with pytest.raises(PaquetError, match="takes nothing from"):
        office.send()
    assert waiting(office) == [("waiting", 0)] * 2
    office.later(timedelta(minutes=5))
    assert [posted.state for posted in office.send()] == ["sent", "sent"]


def test_one_full_mailbox_holds_up_nobody_else(office: Office) -> None:
    two_letters(office)
    office.taker.answers["RCPT"] = ["452 4.2.2 Mailbox quota exceeded"]
    assert [posted.state for posted in office.send()] == ["waiting", "sent"]
    assert waiting(office) == [("waiting", 1)]


@pytest.mark.parametrize("said", ["999 what", "nonsense"])
def test_an_answer_that_is_none_after_the_end_is_for_a_person(office: Office, said: str) -> None:
    two_letters(office)
    office.taker.answers["END"] = [said]
    assert [posted.state for posted in office.send()] == ["held", "sent"]


def test_a_recipient_to_whom_it_is_forwarded_is_one(office: Office) -> None:
    two_letters(office)
    office.taker.answers["RCPT"] = ["251 2.1.5 elsewhere"]
    assert [posted.state for posted in office.send()] == ["sent", "sent"]


def test_a_letter_on_which_something_breaks_stops_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_letters(office)
    files, broken = posting_enclosures.files, list[int]()

    def breaking(control: object, letter: Letter) -> object:
        if not broken:
            broken.append(letter.id)
            raise KeyError(letter.to_name)
        return files(control, letter)  # type: ignore[arg-type]

    monkeypatch.setattr(posting_enclosures, "files", breaking)
    assert [(posted.state, posted.words[:20]) for posted in office.send()] == [
        ("held", "This is a bug, pleas"),
        ("sent", "250 2.0.0 Ok: queued"),
    ]
    assert "KeyError" in outbox_of(office, broken[0]).message


def outbox_of(office: Office, number: int) -> Letter:
    with office.control.reading() as session:
        return outbox.get(session, number)


def test_a_letter_that_came_back_and_goes_nowhere_else_is_told(office: Office) -> None:
    two_letters(office)
    office.send()
    letters = [letter for letter in written(office, "invoice") if letter.to_name != "Jeanne"]
    for letter, status in zip(letters, ("5.7.1", "5.1.1"), strict=True):
        assert note(office, report(status=status, headers=f"Message-ID: {letter.message_id}\n"))
    assert posting_paper.waiting(office.control).letters == ()
    assert posting_operator.daily(office.control) == 2
    office.later(timedelta(days=1))
    assert posting_operator.daily(office.control) == 0


def test_the_operator_is_written_to_although_letters_to_them_came_back(office: Office) -> None:
    with database.transaction(office.control.engine) as session:
        told = session.scalars(select(Letter)).first()
        assert told is not None
        told.gone = office.control.settings.operator.contact
        told.state, told.bounce, told.told_at = "bounced", "5.7.1", None
    assert posting_operator.daily(office.control) == 1
    assert [to for to, _ in sent(office)] == [office.control.settings.operator.contact]


def sent(office: Office) -> list[tuple[str, bytes]]:
    posted: list[Posted] = posting.send(office.control, lambda _seconds: None)
    assert [letter.state for letter in posted] == ["sent"]
    return office.taker.taken


def test_what_was_forgotten_while_it_was_under_way_does_not_wait_again(office: Office) -> None:
    two_letters(office)
    number = next(letter.id for letter in office.letters() if letter.state == "waiting")
    told = office.control.told()
    with database.transaction(office.control.engine) as session:
        letter = outbox.get(session, number)
        letter.message_id = "<a@paquet.test>"
        assert outbox.claim(session, letter, told)
        outbox.forget(session, letter, told)
        outbox.untried(session, letter, told, "it was not taken")
    assert outbox_of(office, number).state == "cancelled"


def test_without_any_address_a_retry_is_held(office: Office) -> None:
    office.till.shop.bill(date(2026, 3, 2))
    with database.transaction(office.control.engine) as session:
        letter = session.scalars(select(Letter).order_by(Letter.id)).first()
        assert letter is not None
        letter.state, letter.bounce = "bounced", "5.1.1"
        subscriber = session.get_one(Subscriber, letter.subscriber_id)
        subscriber.email = ""
        posting_by_hand.retry(session, letter.id, office.control.told())
        assert (letter.state, letter.message) == ("held", outbox.NOWHERE)
