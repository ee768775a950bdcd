from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision.subscriptions.identities import Person
from provision.subscriptions.issuing import Number
from provision.subscriptions.payments import letters, policy
from provision.subscriptions.payments.owed import Owed
from provision.subscriptions.payments.reminders import Reminder
from provision.subscriptions.profiles import Profile

if TYPE_CHECKING:
    from provision.subscriptions.payments.letters import Letter

GOLDEN = Path(__file__).parents[3] / "golden/money/dunning"
DUE = date(2026, 1, 31)
ADDRESS = {"lines": ("1 rue du Port",), "postcode": "14000", "city": "Caen"}
PROFILE = {
    "name": "Boutique Libre",
    "legal": "SARL",
    "address": ADDRESS,
    "email": "bonjour@exemple.test",
    "vat": "liable",
    "iban": "FR1420041010050500013M02606",
}
OWED = Owed(Number(1, "F2026", 12), "invoice", "person-1", 1, 1, 1, DUE, 12_000, 2_000, 12_000)


def letter(step: str, kind: str = "person", days: int = 30, **changes: object) -> Letter:
    words = {"name": "Jeanne", "email": "jeanne@exemple.test", "kind": kind, "address": ADDRESS}
    person = Person.model_validate({**words, **changes}, strict=False)
    on = DUE + timedelta(days=days)
    place = policy.STEPS.index(step) + 1
    then = (policy.STEPS[place], on + timedelta(days=15)) if place < len(policy.STEPS) else None
    profile = Profile.model_validate(PROFILE, strict=False)
    return letters.write((Reminder(OWED, person, step, on, "", then), person), profile, on)


@pytest.mark.parametrize("step", policy.STEPS)
def test_a_letter_is_as_it_was(step: str) -> None:
    expected = (GOLDEN / f"{step}-person.txt").read_text(encoding="utf-8")
    assert letter(step).text == expected


def test_a_company_is_told_the_indemnity_and_the_interest_so_far() -> None:
    written = letter("formal", "company")
    expected = (GOLDEN / "formal-company.txt").read_text(encoding="utf-8")
    assert written.text == expected
    # 120.00 x 3 x 2.62 % x 30 / 365 = 0.775
    assert "0,78" in written.text
    assert "€40.00" in written.text


def test_a_company_is_told_no_interest_where_the_rate_is_not_known() -> None:
    written = letter("formal", "company", days=300)
    assert "€40.00" in written.text
    assert "soit" not in written.text


@pytest.mark.parametrize("kind", ["person", "non-profit"])
def test_nobody_else_owes_an_indemnity(kind: str) -> None:
    assert "indemn" not in letter("formal", kind).text


def test_only_a_formal_notice_is_paper() -> None:
    assert [bool(letter(step).pdf) for step in policy.STEPS] == [False, False, True, False, False]


def test_the_language_of_the_subscriber_comes_first() -> None:
    assert letter("notice").text.startswith("Facture en attente")
    assert letter("notice", language="en").text.startswith("Invoice awaiting payment")


def test_what_people_wrote_is_never_a_template_nor_a_page() -> None:
    written = letter("formal", name="{{ 7*7 }}<script>alert(1)</script>")
    assert "{{ 7*7 }}<script>" in written.text
    assert written.pdf.startswith(b"%PDF-")


def test_the_digest_is_of_the_text() -> None:
    assert letter("notice").digest != letter("reminder").digest
    assert letter("notice").digest == letter("notice").digest


@pytest.mark.parametrize(("days", "named"), [(0, True), (30, True), (-1, False)])
def test_the_last_letter_names_a_day_that_is_not_over(days: int, *, named: bool) -> None:
    on = DUE + timedelta(days=30)
    person = Person.model_validate({"name": "Jeanne", "email": "j@exemple.test"}, strict=False)
    profile = Profile.model_validate(PROFILE, strict=False)
    until = on + timedelta(days=days)
    reminder = Reminder(OWED, person, "close", on)
    written = letters.write((reminder, person), profile, on, until).text
    assert (f"jusqu’au {until:%d/%m/%Y}" in written) == named
    assert (f"until {until:%d %B %Y}" in written) == named
