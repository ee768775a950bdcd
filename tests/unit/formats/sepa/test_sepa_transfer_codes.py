from __future__ import annotations

import base64
import io
from dataclasses import replace

import pytest
import zxingcpp
from PIL import Image

from provision.errors import PaquetError
from provision.formats.sepa.transfer_codes import AskedTransfer, transfer_code

IBAN = "FR1420041010050500013M02606"
ASKED = AskedTransfer("Boutique Libre", IBAN, "PSSTFRPPPAR", 1250, "F2026-000001")


def scanned(asked: AskedTransfer) -> list[str]:
    png = base64.b64decode(transfer_code(asked).removeprefix("data:image/png;base64,"))
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(png)).convert("L"))
    return code.bytes.decode("utf-8").split("\n")


def test_the_code_holds_the_lines_of_the_guidelines_in_their_order() -> None:
    assert scanned(ASKED) == [
        *("BCD", "002", "1", "SCT", "PSSTFRPPPAR", "Boutique Libre", IBAN, "EUR12.5"),
        *("", "", "F2026-000001"),
    ]


def test_round_sums_accents_and_an_account_without_bic_are_read_back() -> None:
    asked = replace(ASKED, name="Les Communs numériques", bic="", units=10_000)
    assert scanned(asked)[4:8] == ["", "Les Communs numériques", IBAN, "EUR100"]


def test_a_name_that_no_transfer_takes_is_cut() -> None:
    assert scanned(replace(ASKED, name="é" * 90))[5] == "é" * 70


@pytest.mark.parametrize(
    "change", [{"units": 0}, {"units": -1}, {"text": ""}, {"text": "x" * 141}, {"bic": "PSST"}]
)
def test_what_no_transfer_can_be_has_no_code(change: dict[str, object]) -> None:
    with pytest.raises(PaquetError, match="No code can be made"):
        transfer_code(replace(ASKED, **change))  # type: ignore[arg-type]
