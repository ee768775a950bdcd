"""One letter a customer and day: the strongest step speaks of all that waits."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision.errors import PaquetError
from provision.registry import orders
from provision.subscriptions.parties import identities
from provision.subscriptions.payments import mailing
from provision.subscriptions.payments.mailing import Outbox
from provision.subscriptions.payments.models import DunningStep
from provision.workflows import dunning, reminding
from tests.integration.subscriptions.conftest import newcomer
from tests.integration.subscriptions.dunning_street import SELLER, open_street
from tests.integration.subscriptions.paying_shop import TODAY

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.dunning_street import Street

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BEFORE = (5, 15, 30)
LATE = 46  # the first invoice is to be suspended for, the second one is due for its notice


@pytest.fixture
def street(shop: Shop, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Street:
    """Jeanne has two invoices, a month apart, and the first was asked for formally."""
    made = open_street(shop, engine, tmp_path, monkeypatch)
    for days in BEFORE:
        made.run(days)
    made.till.shop.bill(made.day(1))
    return made


def written(street: Street, days: int) -> dict[str, str]:
    """Return the letters of a day by name, without the spaces that keep figures together."""
    paths = street.folder.glob(f"*-{street.day(days)}.txt")
    narrow = str.maketrans("\u202f\xa0", "  ")
    return {path.name: path.read_text(encoding="utf-8").translate(narrow) for path in paths}


def listed(street: Street) -> list[dict[str, str]]:
    text = (street.folder / "letters.csv").read_text(encoding="utf-8-sig")
    return list(csv.DictReader(text.splitlines(), delimiter=";"))


def test_a_customer_gets_one_letter_a_day_whatever_the_number_of_invoices(street: Street) -> None:
    assert street.run(LATE) == [("suspend", ""), ("notice", "")]
    ((name, text),) = written(street, LATE).items()
    assert name == f"F2026-000001-suspend-{street.day(LATE)}.txt"
    assert text.startswith("Suspension de votre service : 2 factures")
    assert "F2026-000001, à payer au plus tard le 31/01/2026 (46 jours de retard) : 10,00 €" in text
    assert "F2026-000002, à payer au plus tard le 03/03/2026 (15 jours de retard) : 10,00 €" in text
    assert "Total à payer : 20,00 €" in text
    assert "Sauf erreur de notre part" not in text


def test_both_invoices_keep_the_digest_of_the_one_letter(street: Street) -> None:
    street.run(LATE)
    there = street.till.session.scalars(
        select(DunningStep.letter).where(DunningStep.reached_on == street.day(LATE))
    ).all()
    assert len(there) == 2
    assert len(set(there)) == 1


def test_a_letter_also_names_what_was_asked_for_before(street: Street) -> None:
    assert street.run(37) == [("notice", "")]
    ((name, text),) = written(street, 37).items()
    assert "notice" in name
    assert "F2026-000001" in text
    assert "F2026-000002" in text
    assert "Total à payer : 20,00 €" in text
    assert f"le service sera suspendu à partir du {street.day(45):%d/%m/%Y}" in text


def test_what_is_held_back_or_not_yet_reminded_is_not_in_the_letter(street: Street) -> None:
    assert street.run(33) == []
    till = street.till
    till.mandate(orders.get(till.session, 1).subscriber)
    till.session.commit()
    street.run(45)
    ((_name, text),) = written(street, 45).items()
    assert "F2026-000002" in text
    till.shop.bill(street.day(46))
    street.run(47)
    assert not written(street, 47)


def test_a_step_that_cannot_be_taken_leaves_the_others_to_the_letter(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_words: object) -> None:
        raise PaquetError("bundles1 does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(dunning, "ENDS", {"suspend": fails})
        assert street.run(LATE) == [("suspend", "bundles1 does not answer"), ("notice", "")]
    ((name, text),) = written(street, LATE).items()
    assert "notice" in name
    assert "suspendues" not in text
    assert street.run(LATE) == [("suspend", "")]
    assert len(written(street, LATE)) == 2


def test_the_list_says_who_gets_which_letter_and_grows_with_the_days(street: Street) -> None:
    street.run(LATE)
    rows = listed(street)
    assert [row["stage"] for row in rows] == ["notice", "reminder", "formal", "suspend"]
    assert rows[2]["file"].endswith(".pdf")
    last = rows[3]
    assert last["name"] == "Jeanne"
    assert last["e_mail"] == "jeanne@exemple.test"
    assert last["sum"] == "20,00"
    assert last["invoices"] == "F2026-000001 F2026-000002"
    assert last["day"] == street.day(LATE).isoformat()
    assert (street.folder / last["file"]).exists()
    assert (street.folder / "letters.csv").stat().st_mode & 0o777 == 0o600


def test_the_address_is_that_of_today_and_no_name_is_a_formula(street: Street) -> None:
    session = street.till.session
    jeanne = orders.get(session, 1).subscriber
    words = {
        "name": "=1+1",
        "email": "neuve@exemple.test",
        "language": "en",
        "address": {"lines": ("3 rue du Four", "Bât. B"), "postcode": "61100", "city": "Flers"},
    }
    person = identities.Person.model_validate(words, strict=False)
    identities.write(session, jeanne, person, TODAY)
    street.run(LATE)
    last = listed(street)[-1]
    assert last["name"] == "'=1+1"
    assert [last[f"address_{line}"] for line in (1, 2, 3)] == ["3 rue du Four", "Bât. B", ""]
    assert (last["postcode"], last["city"], last["country"]) == ("61100", "Flers", "FR")
    ((_name, text),) = written(street, LATE).items()
    assert text.startswith("Your service is suspended")
    assert "Bonjour" not in text


def test_a_list_that_is_no_list_of_letters_is_left_alone(street: Street) -> None:
    theirs = street.folder / "letters.csv"
    theirs.write_text("mine;all mine\n", encoding="utf-8")
    with pytest.raises(PaquetError, match=r"letters\.csv is not a list of letters"):
        street.run(LATE)
    assert theirs.read_text(encoding="utf-8") == "mine;all mine\n"
    assert street.due(LATE)[0] == ("suspend", "")


def test_a_folder_is_for_the_letters_of_one_organisation(street: Street) -> None:
    """Invoices of two have the same numbers, and so have the files about them."""
    street.run(LATE)
    mailing.check(Outbox(street.folder, "fr", SELLER))
    with pytest.raises(PaquetError, match=f"holds letters of {SELLER}"):
        mailing.check(Outbox(street.folder, "fr", "Les Amis du Libre"))


def test_two_customers_get_a_letter_each(street: Street) -> None:
    luc = newcomer(street.till.session, "Luc", "company")
    street.till.shop.subscribe(luc)
    street.till.shop.bill(street.day(1))
    street.run(LATE)
    letters = written(street, LATE)
    assert len(letters) == 2
    assert sum("Bonjour Luc" in text for text in letters.values()) == 1
    assert reminding.due(street.control, SELLER, street.rules, street.day(LATE)).reminders == ()
