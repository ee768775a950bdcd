"""A provider's payout as we keep it, whatever its file, and what must hold of each. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.money import show_euros

if TYPE_CHECKING:
    from datetime import date

    from provision.money import Cents

# It stands in the ledger and in `payment match`: one word.
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class PayoutRefused(PaquetError):
    """A payout that cannot be believed: nothing of its file is taken."""


@dataclass(frozen=True)
class ProviderPayment:
    """What one customer paid, in cents; below zero it went back (a refund, a chargeback).

    `what` are the words that may say what it pays, or which payment it takes back; `fee` is what
    the provider keeps of it. Without gross it is a fee alone. `line` is where the file has it.
    """

    reference: str
    payer: str
    day: date
    gross: Cents
    fee: Cents
    what: str
    line: int = 0

    @property
    def net(self) -> Cents:
        """What the provider owes for it."""
        return self.gross - self.fee


@dataclass(frozen=True)
class Payout:
    """What a provider transfers on a day, in cents, and the payments that it is made of.

    `net` is gross less fees, and below zero where the provider takes money. With `own_numbers` what
    is taken back has not the reference of its payment. Without `has_total` the file says nowhere
    what the payout comes to: lines that it lacks are missed by nobody.
    """

    provider: str
    reference: str
    day: date
    gross: Cents
    fees: Cents
    net: Cents
    payments: tuple[ProviderPayment, ...]
    own_numbers: bool = False
    has_total: bool = False

    @property
    def digest(self) -> str:
        """The SHA-256 of its sums and payments in any order, without words: these may be mended."""
        payments = sorted(
            [payment.reference, payment.day.isoformat(), payment.gross, payment.fee]
            for payment in self.payments
        )
        sums = [self.gross, self.fees, self.net]
        content = [self.provider, self.reference, self.day.isoformat(), sums, payments]
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def checked(payout: Payout, line: int) -> Payout:
    """Return the payout if its sums hold; `line` is where the file says what was paid out.

    Raises PayoutRefused with the line where the payments come to something else than it says.
    """
    for name in (payout.reference, *(payment.reference for payment in payout.payments)):
        if not REFERENCE.fullmatch(name):
            raise PayoutRefused(
                f"Line {line}: {name[:40]!r} is no reference", "It has 1 to 80 letters or digits."
            )
    gross = sum(payment.gross for payment in payout.payments)
    fees = sum(payment.fee for payment in payout.payments)
    if (gross, fees, gross - fees) != (payout.gross, payout.fees, payout.net):
        raise PayoutRefused(
            f"Line {line}: the payout {payout.reference} is {show_euros(payout.net)}, and its "
            f"payments come to {show_euros(gross)} less fees of {show_euros(fees)}",
            "The file must hold whole payouts: export a longer period.",
        )
    return payout
