"""A creditor, mandates, any number of debits, and the comparison with golden files."""

from __future__ import annotations

import datetime as dt
import os
from functools import cache
from pathlib import Path

import pytest
from schwifty import IBAN

from provision.formats.sepa.debit_files import HandOver
from provision.formats.sepa.debits import Creditor, Debit
from provision.formats.sepa.mandates import Mandate, MandateParty

GOLDEN = Path(__file__).resolve().parents[3] / "golden/money/sepa"
IDENTIFIER = "FR72ZZZ123456"
FRENCH = "FR7630006000011234567890189"
BRITISH = "GB82WEST12345698765432"
TODAY = dt.date(2026, 12, 1)
NOW = dt.datetime(2026, 12, 1, 10, 15)  # noqa: DTZ001 # a bank file carries local time
DUE = dt.date(2026, 12, 15)

SHOP = MandateParty("Atelier du Libre", "1 rue de la République", "42000", "Saint-Étienne")
ELODIE = MandateParty("Élodie Nœuf-Château", "2 rue des Écoles", "76000", "Rouen")
MANDATE = Mandate(
    "TOPO-000042",
    IDENTIFIER,
    SHOP,
    ELODIE,
    FRENCH,
    "AGRIFRPPXXX",
    signed_on=dt.date(2026, 1, 5),
    last_collected_on=dt.date(2026, 11, 16),
)
CREDITOR = Creditor(SHOP.name, "FR14 2004 1010 0505 0001 3M02 606", "PSSTFRPPXXX", IDENTIFIER)
HAND_OVER = HandOver(DUE, NOW, "TOPO")


def mandate(number: int, account: str = FRENCH) -> Mandate:
    return Mandate(
        f"TOPO-{number:06d}", IDENTIFIER, SHOP, ELODIE, account, signed_on=dt.date(2026, 1, 5)
    )


def debit(number: int, under: Mandate = MANDATE, units: int = 990) -> Debit:
    return Debit(f"F2026-{number}-1", units, under, "Paquet décembre", f"F2026-{number}")


@cache
def many_debits() -> tuple[Debit, ...]:
    """Return 10,001 debits of 1.00 €, 1.01 €, 1.02 €, … each of its own account."""
    accounts = (str(IBAN.generate("FR", "30006", f"{n:011d}", "00001")) for n in range(10_001))
    return tuple(
        debit(number, mandate(number, account), 100 + number)
        for number, account in enumerate(accounts)
    )


def assert_golden(name: str, text: str) -> None:
    """Compare with the golden file; PAQUET_GOLDEN=write writes it, and still fails once."""
    path = GOLDEN / name
    known = path.read_text(encoding="utf-8") if path.exists() else None
    if os.environ.get("PAQUET_GOLDEN") == "write" and known != text:
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path} was written: read the difference, then run again without it")
    assert known is not None, f"{path} is missing: write it with PAQUET_GOLDEN=write"
    assert text == known
