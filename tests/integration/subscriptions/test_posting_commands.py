"""The post as people type it."""

from __future__ import annotations

import email
import json
from datetime import date
from email.policy import default
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from provision import database
from provision.commands.people.post import post
from provision.commands.people.subscriber import subscriber
from provision.commands.shared.context import Context
from provision.errors import PaquetError, UsageRefused
from provision.post import outbox
from provision.registry.models import SealedSecret
from provision.workflows import posting_sender
from tests.integration.subscriptions.commanding import ask, read
from tests.integration.subscriptions.conftest import START, newcomer
from tests.integration.subscriptions.mail_taker import SECRET
from tests.integration.subscriptions.paying_shop import open_till
from tests.integration.subscriptions.post_office import SENDER, open_office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.mail_keeper import Keeper
    from tests.integration.subscriptions.mail_taker import Taker
    from tests.integration.subscriptions.post_office import Office

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("keeper"),
]


@pytest.fixture
def office(shop: Shop, tmp_path: Path, taker: Taker) -> Office:
    """Jeanne, and a library that keeps its e-mail address to itself, were billed."""
    opened = open_office(open_till(shop), tmp_path, taker)
    library = newcomer(shop.session, "Librairie", kind="company")
    library.email = ""
    for client in (shop.jeanne, library):
        shop.subscribe(client)
    shop.bill(START)
    opened.till.session.close()
    return opened


@pytest.fixture
def context(office: Office) -> Iterator[Context]:
    of_office = Context(office.folder / "paquet.toml")
    yield of_office
    of_office.engine.dispose()


def rows(context: Context, *words: str) -> list[dict[str, Any]]:
    return list(read(context, post, *words))


def test_send_shows_who_would_get_what_then_sends_it(context: Context, office: Office) -> None:
    planned = rows(context, "send", "--dry-run")
    assert [(row["by"], row["subject"], row["state"]) for row in planned] == [
        ("jeanne@exemple.test", "Facture F2026-000001 : 10,00\u00a0€", "is written first")
    ]
    assert rows(context, "list") == []
    assert office.taker.taken == []
    office.taker.answers["END"] = ["250 2.0.0 Ok: queued as ABC123"]
    (sent,) = rows(context, "send", "--yes")
    assert sent == {
        "letter": 1,
        "kind": "invoice",
        "state": "sent",
        "words": "250 2.0.0 Ok: queued as ABC123",
    }
    assert [row["state"] for row in rows(context, "list")] == ["waiting", "sent"]
    assert [row["by"] for row in rows(context, "list", "--state", "waiting")] == ["paper"]
    assert [row["letter"] for row in rows(context, "list", "--to", "jeanne@exemple.test")] == [1]
    assert rows(context, "list", "--bounced") == []


def test_what_left_is_shown_and_then_that_the_mailbox_cannot_be_read(
    context: Context, keeper: Keeper
) -> None:
    keeper.is_away = True
    ended = CliRunner().invoke(
        post, ["send", "--yes", "--json"], obj=context, standalone_mode=False
    )
    assert [row["state"] for row in json.loads(ended.stdout)] == ["sent"]
    assert isinstance(ended.exception, PaquetError)
    assert "The mailbox of post@exemple.test" in ended.exception.message
    keeper.is_away = False
    assert rows(context, "send", "--yes") == []


def test_a_letter_that_bounced_ends_with_five_and_is_retried_elsewhere(
    context: Context, office: Office
) -> None:
    office.taker.answers["RCPT"] = ["550 5.1.1 nobody"]
    ended = ask(context, post, "send", "--yes")
    assert ended.exit_code == 5
    assert [row["letter"] for row in rows(context, "list", "--bounced")] == [1]
    told = "letters to this address come back: they go on paper"
    assert read(context, subscriber, "show", "jeanne@exemple.test")["post"] == told
    with context.session() as session:
        outbox.get(session, 1)
        person = session.connection().exec_driver_sql
        person("UPDATE subscriber SET email = 'neuve@exemple.test' WHERE id = 1")
    assert read(context, subscriber, "show", "1")["post"] == ""
    (again,) = rows(context, "retry", "1", "--yes")
    assert (again["state"], again["by"]) == ("waiting", "neuve@exemple.test")
    rows(context, "send", "--yes")
    assert [to for to, _content in office.taker.taken] == ["neuve@exemple.test"]


def test_show_tells_all_of_a_letter_and_writes_its_message(
    context: Context, office: Office
) -> None:
    rows(context, "send", "--yes")
    told = read(context, post, "show", "1")
    assert told["enclosed"] == "F2026-000001.pdf"
    assert told["text"].startswith("Bonjour Jeanne,")
    file = office.folder / "letter.eml"
    ask(context, post, "show", "1", "--eml", str(file), "--yes")
    message = email.message_from_bytes(file.read_bytes(), policy=default)
    assert message["Message-ID"] == told["message_id"]
    assert SECRET not in file.read_text("utf-8") + json.dumps(told)
    with pytest.raises(UsageRefused, match="on paper"):
        ask(context, post, "show", "2", "--eml", str(file), "--yes")


def test_letters_are_held_released_and_held_for_good(context: Context) -> None:
    paused = rows(context, "hold", "jeanne@exemple.test", "--why", "litige", "--yes")
    assert paused == [{"subscriber": 1, "state": "held back", "letters": 0}]
    assert [row["words"] for row in rows(context, "send", "--yes")] == ["Paused: litige"]
    rows(context, "release", "jeanne@exemple.test", "--yes")
    (held,) = rows(context, "hold", "1", "--why", "erreur", "--yes")
    assert held["state"] == "held"
    (ended,) = rows(context, "hold", "1", "--why", "erreur", "--for-good", "--yes")
    assert ended["state"] == "cancelled"
    assert rows(context, "send", "--yes") == []
    with pytest.raises(PaquetError, match="cannot become"):
        ask(context, post, "retry", "1", "--yes")


def test_who_has_no_e_mail_address_is_left_in_peace_by_number(context: Context) -> None:
    rows(context, "send", "--yes")
    (paused,) = rows(context, "hold", "--subscriber", "2", "--why", "litige", "--yes")
    assert (paused["subscriber"], paused["letters"]) == (2, 1)
    (planned,) = rows(context, "letterbox", "--to", "box", "--dry-run")
    assert (planned["to"], planned["left_out"]) == ("Librairie", "Paused: litige")
    rows(context, "release", "--subscriber", "2", "--yes")
    (planned,) = rows(context, "letterbox", "--to", "box", "--dry-run")
    assert planned["left_out"] == ""
    for words in (("release",), ("release", "1", "--subscriber", "2")):
        with pytest.raises(UsageRefused, match="Say which"):
            ask(context, post, *words, "--yes")
    with pytest.raises(UsageRefused, match="Only one letter"):
        ask(context, post, *("hold", "--subscriber", "2", "--for-good", "--why", "a", "--yes"))


def test_the_letterbox_shows_what_it_would_write_and_a_no_leaves_nothing_written(
    context: Context,
) -> None:
    (planned,) = rows(context, "letterbox", "--to", "box", "--dry-run")
    assert (planned["to"], planned["left_out"]) == ("Librairie", "is written first")
    with pytest.raises(PaquetError):  # nobody is there to say yes
        ask(context, post, "letterbox", "--to", "box")
    assert rows(context, "list") == []


def test_the_letterbox_is_one_file_of_what_has_no_e_mail(context: Context, office: Office) -> None:
    ask(context, post, "send", "--yes")
    folder = office.folder / "box"
    words = ("letterbox", "--to", str(folder), "--duplex")
    (planned,) = rows(context, *words, "--dry-run")
    assert (planned["to"], planned["postcode"], folder.exists()) == ("Librairie", "14000", False)
    written = read(context, post, *words, "--yes")
    assert written["letters"] == [{"letter": 2, "page": 3, "pages": 2}]
    assert [row["state"] for row in rows(context, "list")] == ["printed", "sent"]
    assert rows(context, *words, "--dry-run") == []


def test_where_only_stale_letters_are_left_they_are_cancelled_once_somebody_agrees(
    context: Context,
) -> None:
    ask(context, post, "send", "--yes")
    with context.session() as session:
        outbox.get(session, 2).written_on = date(2020, 1, 1)
    (planned,) = rows(context, "letterbox", "--to", "box", "--dry-run")
    assert "older" in planned["left_out"]
    with pytest.raises(PaquetError, match="say yes"):
        ask(context, post, "letterbox", "--to", "box")
    rows(context, "letterbox", "--to", "box", "--yes")
    assert [row["state"] for row in rows(context, "list")] == ["cancelled", "sent"]
    assert rows(context, "letterbox", "--to", "box", "--dry-run") == []


def test_the_secret_of_an_address_elsewhere_is_tried_and_sealed(
    context: Context, office: Office
) -> None:
    with context.session() as session:
        session.delete(session.get_one(SealedSecret, (posting_sender.OWNER, SENDER)))
    with pytest.raises(PaquetError, match="no secret"):
        ask(context, post, "send", "--yes")
    runner, words = CliRunner(), ("sender", "--yes")
    wrong = runner.invoke(post, words, obj=context, input="wrong\n", standalone_mode=False)
    assert isinstance(wrong.exception, PaquetError)
    right = runner.invoke(post, words, obj=context, input=f"{SECRET}\n", standalone_mode=False)
    assert right.exception is None
    assert SECRET not in right.output
    with database.reading(office.control.engine) as session:
        sealed = session.get_one(SealedSecret, (posting_sender.OWNER, SENDER)).sealed
    assert SECRET.encode() not in sealed
    assert [row["state"] for row in rows(context, "send", "--yes")] == ["sent"]


def test_without_a_day_in_the_settings_nothing_is_sent_or_written(
    context: Context, office: Office
) -> None:
    config = office.folder / "paquet.toml"
    config.write_text(config.read_text("utf-8").partition("[post]")[0], "utf-8")
    with pytest.raises(UsageRefused, match="from which day on"):
        ask(Context(config), post, "send", "--yes")
    del context
