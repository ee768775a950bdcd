"""The code from which a bank's app makes a transfer: EPC069-12, known as GiroCode. Pure.

European Payments Council, "Quick Response Code: Guidelines to Enable the Data Capture for the
Initiation of a SEPA Credit Transfer", version 002 of the data, of which segno checks the lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from segno.helpers import make_epc_qr

from provision.errors import PaquetError

if TYPE_CHECKING:
    from provision.money import Cents

LONGEST_NAME = 70  # of a beneficiary, in any SEPA transfer (AT-21)
QUIET_ZONE = 4  # white modules around the code, which ISO 18004 asks for
PIXELS_PER_MODULE = 4


@dataclass(frozen=True)
class AskedTransfer:
    """Cents to be paid to the holder `name` of an account, with `text` as its remittance text."""

    name: str
    iban: str
    bic: str
    units: Cents
    text: str


def transfer_code(asked: AskedTransfer) -> str:
    """Return the code as a `data:` address of a PNG, black on white with its quiet zone.

    A name that is too long is cut, as banks do. Raises PaquetError for what no transfer can be.
    """
    try:
        code = make_epc_qr(
            name=asked.name[:LONGEST_NAME],
            iban=asked.iban,
            bic=asked.bic or None,
            amount=Decimal(asked.units).scaleb(-2),
            text=asked.text,
            encoding="utf-8",
        )
    except ValueError as wrong:
        raise PaquetError(f"No code can be made of this transfer: {wrong}") from None
    return code.png_data_uri(scale=PIXELS_PER_MODULE, border=QUIET_ZONE, dark="#000", light="#fff")
