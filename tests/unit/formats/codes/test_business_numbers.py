from __future__ import annotations

import pytest

from provision.errors import UsageRefused
from provision.formats.codes import business_numbers


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("732829320", "732829320"),
        ("732 829 320", "732829320"),
        ("732\u00a0829\u202f320", "732829320"),
        ("732.829.320", "732829320"),
        ("732-829-320", "732829320"),
        ("356 000 000", "356000000"),
        (" 552100554", "552100554"),
        ("732 829 320 00074", "732829320"),
        ("35600000000048", "356000000"),
    ],
)
def test_a_siren_is_kept_as_its_nine_digits_however_it_is_typed(typed: str, kept: str) -> None:
    assert business_numbers.siren(typed) == kept


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("732829321", "wrong digit"),
        ("73282932", "is not a SIREN"),
        ("73282932000075", "The SIRET 73282932000075 has a wrong digit"),
        ("٧٣٢٨٢٩٣٢٠", "is not a SIREN"),
        ("=cmd()", "is not a SIREN"),
        ("732829320\n", "is not a SIREN"),
        ("7328\u202e29320", "is not a SIREN"),
    ],
)
def test_what_is_no_siren_is_refused(typed: str, why: str) -> None:
    with pytest.raises(UsageRefused, match=why):
        business_numbers.siren(typed)


def test_each_single_wrong_digit_is_noticed() -> None:
    right = "732829320"
    for place, digit in enumerate(right):
        for other in set("0123456789") - {digit}:
            with pytest.raises(UsageRefused):
                business_numbers.siren(right[:place] + other + right[place + 1 :])


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("FR40303265045", "FR40303265045"),
        ("fr 40 303 265 045", "FR40303265045"),
        ("FR\u202f40.303.265.045", "FR40303265045"),
        ("BE 0403.019.261", "BE0403019261"),
        ("DE136695976", "DE136695976"),
        ("GR094259216", "EL094259216"),
        ("EL 094259216", "EL094259216"),
        ("XI 980780684", "XI980780684"),
        ("GB 980 7806 84", "GB980780684"),
        ("CHE-107.787.577 TVA", "CHE107787577TVA"),
        ("FR 53 0000 04605", "FR53000004605"),
    ],
)
def test_a_vat_number_is_kept_in_capitals_without_spaces(typed: str, kept: str) -> None:
    assert business_numbers.vat_id(typed) == kept


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("FR41303265045", "wrong key"),
        ("FR40303265046", "wrong key"),
        ("FR4030326504", "wrong key or length"),
        ("DE136695978", "wrong key"),
        ("BE0403019262", "wrong key"),
        ("40303265045", "is not a VAT number"),
        ("FR", "is not a VAT number"),
        ("FR<script>", "is not a VAT number"),
        ("ＦＲ40303265045", "is not a VAT number"),
    ],
)
def test_a_vat_number_with_a_wrong_key_is_refused(typed: str, why: str) -> None:
    with pytest.raises(UsageRefused, match=why):
        business_numbers.vat_id(typed)


def test_a_french_vat_number_belongs_to_its_siren() -> None:
    business_numbers.check_together("303265045", "FR40303265045")
    business_numbers.check_together("", "FR40303265045")
    business_numbers.check_together("303265045", "BE0403019261")
    with pytest.raises(UsageRefused, match="is not of the business"):
        business_numbers.check_together("732829320", "FR40303265045")


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("14 000", "FR", "14000"),
        ("14000", "FR", "14000"),
        ("98000", "MC", "98000"),
        ("97400", "RE", "97400"),
        ("sw1a  1aa", "GB", "SW1A 1AA"),
        ("1000", "BE", "1000"),
        ("1012 ab", "NL", "1012 AB"),
    ],
)
def test_a_postcode_is_written_one_way(typed: str, country: str, kept: str) -> None:
    assert business_numbers.postcode(typed, country) == kept


@pytest.mark.parametrize("typed", ["1400", "14000 Caen", "F-14000", "", "<b>", "１４０００"])
def test_a_french_postcode_has_five_digits(typed: str) -> None:
    with pytest.raises(UsageRefused, match="is not a French postcode"):
        business_numbers.postcode(typed, "FR")


@pytest.mark.parametrize("typed", ["", "<b>", "123456789012", "-"])
def test_what_is_no_postcode_anywhere_is_refused(typed: str) -> None:
    with pytest.raises(UsageRefused, match="is not a postcode"):
        business_numbers.postcode(typed, "GB")
