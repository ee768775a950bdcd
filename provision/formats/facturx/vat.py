"""How sellers and buyers stand towards VAT on a day: dated data with its sources (`vat.toml`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.formats.facturx.invoice import VatGroup

if TYPE_CHECKING:
    from datetime import date

    from provision.formats.facturx.invoice import Category
    from provision.languages import Language
    from provision.money import Cents

DATA = Path(__file__).with_name("vat.toml")


@dataclass(frozen=True)
class Regime:
    """One row of the data: `rate` in hundredths of a percent, valid from a day on."""

    code: str
    valid_from: date
    category: Category
    rate: int
    exemption_code: str
    mention_fr: str
    mention_en: str
    source: str

    def group(self, basis: Cents, vat: Cents, language: Language) -> VatGroup:
        """Return what an invoice in `language` says of `basis` cents with `vat` cents on them."""
        mention = self.mention_fr if language == "fr" else self.mention_en
        return VatGroup(self.category, self.rate, basis, vat, self.exemption_code, mention)


@lru_cache(maxsize=256)
def regime_on(code: str, day: date) -> Regime:
    """Return the regime of this code that rules on `day`, or raise UsageRefused."""
    named = [regime for regime in regimes() if regime.code == code]
    if not named:
        known = ", ".join(sorted({regime.code for regime in regimes()}))
        raise UsageRefused(f"{code[:40]!r} is not a VAT regime", f"Known are {known}.")
    ruling = [regime for regime in named if regime.valid_from <= day]
    if not ruling:
        raise UsageRefused(
            f"The VAT regime {code} is not known on {day}", f"It is from {named[0].valid_from} on."
        )
    return max(ruling, key=lambda regime: regime.valid_from)


def abroad_on(code: str, day: date) -> Regime:
    """Return what rules on `day` for buyers abroad of this case (see `treatments`)."""
    ruling = [
        regime for regime in _rows("abroad") if regime.code == code and regime.valid_from <= day
    ]
    return max(ruling, key=lambda regime: regime.valid_from)


def regimes() -> tuple[Regime, ...]:
    """Return all regimes of sellers in the data."""
    return _rows("regime")


@cache
def _rows(table: str) -> tuple[Regime, ...]:
    rows = tomllib.loads(DATA.read_text(encoding="utf-8"))[table]
    return tuple(Regime(valid_from=row.pop("from"), **row) for row in rows)
