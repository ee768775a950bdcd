from __future__ import annotations

from datetime import date, datetime

import pytest

from provision.errors import PaquetError
from provision.formats.bank import reading
from provision.formats.sepa.debit_files import HandOver, files
from provision.formats.sepa.debits import Creditor, Debit
from provision.formats.sepa.mandates import Mandate, MandateParty
from provision.lab import bank

IBAN = "FR7630006000011234567890189"
HOME = {"street": "1 rue du Port", "postcode": "14000", "town": "Caen", "country": "FR"}
COLLECTED, LATE = date(2026, 2, 2), date(2026, 2, 9)


def debit(number: int) -> Debit:
    mandate = Mandate(
        reference=f"RUM-{number}",
        creditor_identifier="FR72ZZZ123456",
        creditor=MandateParty(name="Boutique", **HOME),
        debtor=MandateParty(name=f"Élodie {number}", **HOME),
        iban="FR1420041010050500013M02606",
        signed_on=date(2026, 1, 1),
    )
    return Debit(f"F2026-{number}-1", 1000 * number, mandate, "Facture", f"F2026-{number}")


def debit_file() -> bytes:
    creditor = Creditor("Boutique", IBAN, "AGRIFRPP", "FR72ZZZ123456")
    hand_over = HandOver(
        collect_on=COLLECTED,
        created_at=datetime(2026, 1, 15, 12),  # noqa: DTZ001 (the bank's local time)
        message_prefix="PAQUET",
    )
    (made,) = files([debit(number) for number in (1, 2, 3)], creditor, hand_over)
    return made.content


def test_a_file_of_debits_comes_back_as_a_statement_that_other_readers_understand() -> None:
    entries = bank.collected(debit_file(), COLLECTED, {"F2026-2-1": "MD06"}, LATE)
    entries.append(
        bank.StatementEntry(date(2026, 2, 5), 550, name="Zoé", text="Facture F2026-9 <merci>")
    )
    days = (date(2026, 2, 1), date(2026, 2, 28))
    answered = bank.statement(bank.Account(IBAN, 10000), entries, days, "REL-1")
    (read,) = reading.read(answered.content, "statement.xml")
    assert (read.account, read.opening, read.closing) == (IBAN, 10000, 10000 + 6000 - 2000 + 550)
    assert answered.account.units == read.closing
    assert [one.units for one in read.movements] == [6000, 550, -2000]
    back = read.movements[2]
    assert (back.reason, back.details[0].end_to_end) == ("MD06", "F2026-2-1")
    assert "<merci>" in read.movements[1].text


def test_what_is_no_file_of_debits_is_refused() -> None:
    with pytest.raises(PaquetError, match="cannot read the file of debits"):
        bank.collected(b"<Document", COLLECTED, {}, LATE)
