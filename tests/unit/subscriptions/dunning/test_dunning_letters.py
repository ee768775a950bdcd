from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision.days import ONE_DAY
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.open_items import OpenItem
from provision.subscriptions.dunning import letters, policy
from provision.subscriptions.dunning.reminders import Reminder
from provision.subscriptions.parties.identities import Person
from provision.subscriptions.parties.profiles import Profile

if TYPE_CHECKING:
    from provision.subscriptions.dunning.letters import ReminderLetter

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
OWED = OpenItem(
    Number(1, "F2026", 12), "invoice", "person-1", 1, 1, DUE, DUE, 12_000, 2_000, 12_000
)


def letter(step: str, kind: str = "person", days: int = 30, **changes: object) -> ReminderLetter:
    words = {"name": "Jeanne", "email": "jeanne@exemple.test", "kind": kind, "address": ADDRESS}
    person = Person.model_validate({**words, **changes}, strict=False)
    on = DUE + timedelta(days=days)
    place = policy.STEPS.index(step) + 1
    then = (policy.STEPS[place], on + timedelta(days=15)) if place < len(policy.STEPS) else None
    profile = Profile.model_validate(PROFILE, strict=False)
    return letters.write(([Reminder(OWED, person, step, on, "", then)], person), profile, on)


@pytest.mark.parametrize("step", policy.STEPS)
def test_a_letter_is_as_it_was(step: str) -> None:
    expected = (GOLDEN / f"{step}-person.txt").read_text(encoding="utf-8")
    assert letter(step).text == expected


def test_a_letter_says_where_what_is_open_on_each_invoice_is_paid_by_card() -> None:
    profile = Profile.model_validate(
        {**PROFILE, "payment_link": "https://pay.test/a?order={invoice}&amount={amount}"},
        strict=False,
    )
    other = replace(OWED, number=Number(1, "F2026", 13), units=500)
    person = Person.model_validate({"name": "Jeanne", "email": "j@exemple.test"}, strict=False)
    found = [Reminder(one, person, "notice", DUE + ONE_DAY) for one in (OWED, other)]
    (alone, both) = (
        letters.write((some, person), profile, DUE + ONE_DAY).text for some in (found[:1], found)
    )
    first = "https://pay.test/a?order=F2026-000012&amount=120.00"
    assert f"\n\nPayer par carte : {first}\n\nSi vous" in alone
    assert (
        f"\n\nPayer par carte F2026-000012 : {first}\n"
        "Payer par carte F2026-000013 : https://pay.test/a?order=F2026-000013&amount=5.00\n\n"
    ) in both


def test_a_company_is_told_the_indemnity_and_the_interest_so_far() -> None:
    written = letter("formal", "company")
    expected = (GOLDEN / "formal-company.txt").read_text(encoding="utf-8")
    assert written.text == expected
    # 120.00 x 3 x 2.62 % x 30 / 365 = 0.775
    assert "+ pénalités 0,78" in written.text
    assert "+ indemnité 40,00" in written.text
    assert written.units == 12_000 + 4_000 + 78


def test_a_company_is_told_no_interest_where_the_rate_is_not_known() -> None:
    written = letter("formal", "company", days=300)
    assert "+ indemnité 40,00" in written.text
    assert "+ pénalités" not in written.text
    assert "qui s’ajoutent à ce total" in written.text


def test_each_late_invoice_of_a_company_has_its_own_indemnity_and_one_total() -> None:
    other = replace(OWED, number=Number(1, "F2026", 13), due_on=DUE - timedelta(days=1), units=500)
    person = Person.model_validate(
        {"name": "Sarl", "email": "s@exemple.test", "kind": "company", "address": ADDRESS},
        strict=False,
    )
    on, profile = DUE + timedelta(days=1), Profile.model_validate(PROFILE, strict=False)
    found = [Reminder(one, person, "notice", on) for one in (other, OWED)]
    written = letters.write((found, person), profile, on)
    # 120.00 x 3 x 2.62 % / 365 = 0.026; two days of 5.00: 0.002
    assert written.units == 500 + 12_000 + 2 * 4_000 + 3
    assert "(1 jour de retard)" in written.text
    assert "(2 jours de retard)" in written.text
    assert written.text.startswith("Facture en attente : 2 factures")
    assert "en indiquant F2026-000013 F2026-000012" in written.text


def test_the_strongest_step_of_today_speaks_and_the_strongest_that_follows_is_said() -> None:
    on, profile = DUE + timedelta(days=60), Profile.model_validate(PROFILE, strict=False)
    person = Person.model_validate({"name": "Jeanne", "email": "j@exemple.test"}, strict=False)
    before = Reminder(OWED, person, "formal", on, then=("suspend", on + timedelta(9)), before=True)
    first = Reminder(OWED, person, "notice", on, then=("reminder", on + timedelta(1)))
    second = Reminder(OWED, person, "reminder", on, then=("formal", on + timedelta(2)))
    written = letters.write(([before, first, second], person), profile, on)
    assert written.step == "reminder"
    assert f"le service sera suspendu à partir du {on + timedelta(9):%d/%m/%Y}" in written.text
    assert not written.pdf


@pytest.mark.parametrize("kind", ["person", "non-profit"])
def test_nobody_else_owes_an_indemnity(kind: str) -> None:
    assert "indemn" not in letter("formal", kind).text


def test_only_a_formal_notice_is_paper() -> None:
    assert [bool(letter(step).pdf) for step in policy.STEPS] == [False, False, True, False, False]


@pytest.mark.parametrize("step", policy.STEPS)
def test_a_letter_speaks_the_language_of_the_person_alone(step: str) -> None:
    french, english = letter(step).text, letter(step, language="en").text
    assert "Bonjour Jeanne" in french
    assert "Hello" not in french
    assert "Hello Jeanne" in english
    assert "Bonjour" not in english


def test_the_subject_is_the_first_line() -> None:
    assert letter("notice").subject == "Facture en attente : facture F2026-000012"
    assert letter("close", language="en").subject == "End of your contract: invoice F2026-000012"


def test_what_people_wrote_is_never_a_template_nor_a_page() -> None:
    written = letter("formal", name="{{ 7*7 }}<script>alert(1)</script>")
    assert "{{ 7*7 }}<script>" in written.text
    assert written.pdf.startswith(b"%PDF-")


def test_the_digest_is_of_the_text() -> None:
    assert letter("notice").digest != letter("reminder").digest
    assert letter("notice").digest == letter("notice").digest


@pytest.mark.parametrize(("days", "named"), [(0, True), (30, True), (-1, False)])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_last_letter_names_a_day_that_is_not_over(
    language: str, days: int, *, named: bool
) -> None:
    on = DUE + timedelta(days=30)
    words = {"name": "Jeanne", "email": "j@exemple.test", "language": language}
    person = Person.model_validate(words, strict=False)
    profile = Profile.model_validate(PROFILE, strict=False)
    until = on + timedelta(days=days)
    reminder = Reminder(OWED, person, "close", on)
    written = letters.write(([reminder], person), profile, on, until).text
    expected = f"jusqu’au {until:%d/%m/%Y}" if language == "fr" else f"until {until:%d %B %Y}"
    assert (expected in written) == named
