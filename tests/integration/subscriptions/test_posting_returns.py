"""What comes back counts for the letter that it proves to be about, and for its address."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from provision import database
from provision.post import bounces, outbox
from provision.workflows import posting_by_hand, posting_paper, posting_returns
from tests.integration.subscriptions.conftest import START
from tests.integration.subscriptions.paying_shop import open_till
from tests.integration.subscriptions.post_office import open_office
from tests.unit.post.post_examples import report

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.mail_taker import Taker
    from tests.integration.subscriptions.post_office import Office


@pytest.fixture
def office(shop: Shop, tmp_path: Path, taker: Taker) -> Office:
    """Jeanne was billed twice, and both letters are written."""
    opened = open_office(open_till(shop), tmp_path, taker)
    shop.subscribe(shop.jeanne)
    shop.bill(START)
    shop.bill(date(2026, 2, 2))
    opened.gather()
    return opened


def note(office: Office, content: bytes) -> list[int]:
    """Note what a message in the sender's mailbox reports."""
    with database.transaction(office.control.engine) as session:
        return posting_returns.note(session, office.control, bounces.parse(content))


@pytest.mark.parametrize(
    "headers",
    [
        "Subject: Facture\n",  # a queue id and an address, which anybody may know
        "Message-ID: <Q@paquet.test>\n",
        "Message-ID: <>\n",
        "Message-ID: <%@paquet.test>\n",
    ],
)
@pytest.mark.parametrize("queue", ["Q", "Q000000", "Q0000001", "%", ""])
def test_who_does_not_know_its_message_id_cannot_let_a_letter_come_back(
    office: Office, headers: str, queue: str
) -> None:
    office.send()
    forged = report(headers=headers).replace(b"BC6F31DAA80", queue.encode())
    forged = forged.replace(b"zoe@ailleurs.test", b"jeanne@exemple.test")
    assert note(office, forged) == []
    assert office.states() == ["sent", "sent"]


def test_the_message_id_of_a_letter_lets_that_one_come_back_and_keeps_no_address_of_others(
    office: Office,
) -> None:
    office.send()
    first = office.letters()[0]
    assert note(office, report(headers=f"Message-ID: {first.message_id}\n")) == [1]
    assert office.states() == ["bounced", "sent"]
    assert "550 5.1.1 <…>: Recipient address rejected" in office.letters()[0].message


def test_a_retry_believes_in_an_address_from_which_several_letters_came_back(
    office: Office,
) -> None:
    office.taker.answers["RCPT"] = ["550 5.1.1 nobody"] * 2
    office.send()
    assert office.states()[0] == "bounced"
    office.later(timedelta(minutes=1))
    with database.transaction(office.control.engine) as session:
        second = outbox.get(session, 2)
        second.email, second.address = "jeanne@exemple.test", "3 rue du Four\n61100 Flers"
        if second.state == "held":
            outbox.release(session, second, office.control.told())
        outbox.bounce(session, second, "5.1.1", office.control.told(), "550 5.1.1 nobody")
    with database.transaction(office.control.engine) as session:
        posting_by_hand.retry(session, 1, office.control.told())
    office.taker.answers["RCPT"] = []
    assert [posted.state for posted in office.send()] == ["sent"]
    laid = posting_paper.waiting(office.control)
    assert [paper.letter.id for paper in laid.letters] == [2], "it came back: it is on paper still"
