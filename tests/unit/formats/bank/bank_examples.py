"""The samples of tests/golden/money/bank: one January of one account, as each format says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision.errors import PaquetError
from provision.formats.bank import mappings, reading

if TYPE_CHECKING:
    from provision.formats.bank.mappings import CsvMapping
    from provision.formats.bank.statements import Movement, Statement

FOLDER = Path(__file__).parents[3] / "golden/money/bank"
ACCOUNT = "FR7630006000011234567890189"
JEANNE = "FR1420041010050500013M02606"
CAMT_2 = (FOLDER / "camt-053-001-02.xml").read_text(encoding="utf-8")
CAMT_8 = (FOLDER / "camt-053-001-08.xml").read_text(encoding="utf-8")
OFX_1 = (FOLDER / "ofx-1.ofx").read_text(encoding="utf-8")
OFX_2 = (FOLDER / "ofx-2.ofx").read_text(encoding="utf-8")
MT940 = (FOLDER / "mt940.sta").read_text(encoding="utf-8")
CFONB = (FOLDER / "cfonb-120.txt").read_text(encoding="utf-8")
CSV = (FOLDER / "boutique.csv").read_text(encoding="utf-8")
COLUMNS = f"""
account = "{ACCOUNT}"
[columns]
booked = "Date"
value = "Date de valeur"
text = ["Libellé"]
debit = "Débit"
credit = "Crédit"
"""
WITH_COLUMN = mappings.parse(f'{COLUMNS}balance = "Solde"\n')
WITH_BALANCES = mappings.parse(f'{COLUMNS}[balances]\nopening = "1000"\nclosing = "1034.10"\n')


@dataclass(frozen=True)
class Sample:
    """One file, and the mapping that it needs."""

    name: str
    text: str
    mapping: CsvMapping | None = None

    @property
    def content(self) -> bytes:
        return self.text.encode()


SAMPLES = [
    Sample("camt-053-001-02.xml", CAMT_2),
    Sample("camt-053-001-08.xml", CAMT_8),
    Sample("ofx-1.ofx", OFX_1),
    Sample("ofx-2.ofx", OFX_2),
    Sample("mt940.sta", MT940),
    Sample("cfonb-120.txt", CFONB),
    Sample("boutique.csv", CSV, WITH_BALANCES),
]
every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
JANUARY = [
    (date(2026, 1, 8), 3600),
    (date(2026, 1, 14), -1200),
    (date(2026, 1, 20), 1010),
]


def read_one(text: str, mapping: CsvMapping | None = None) -> Statement:
    """Return the only statement of the text."""
    (statement,) = reading.read(text.encode(), "sample", mapping)
    return statement


def movements(text: str, mapping: CsvMapping | None = None) -> tuple[Movement, ...]:
    """Return the movements of the only statement of the text."""
    return read_one(text, mapping).movements


def why_refused(content: str | bytes, mapping: CsvMapping | None = None) -> str:
    """Return the one sentence with which the content is refused."""
    raw = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(PaquetError) as refused:
        reading.read(raw, "sample", mapping)
    assert "\n" not in refused.value.message
    return refused.value.message


def changed(text: str, old: str, new: str) -> str:
    """Return the text with its first `old` replaced; a sample without it is a mistake here."""
    assert old in text
    return text.replace(old, new, 1)
