"""An invoice as plain data, and the sums that must hold before anybody sees it. Pure.

Names in the semantic model of EN 16931-1 are given as BT-… where they are not obvious. Amounts are
cents; those of a credit note are positive, its kind says which way they go.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

from provision.formats.facturx.parties import Brand

if TYPE_CHECKING:
    from datetime import date

    from provision.formats.facturx.parties import Party, Payment, PostalAddress
    from provision.languages import Language
    from provision.money import Cents

Unit: TypeAlias = Literal["month", "year", "day", "hour", "piece"]
# Standard, exempt, outside the scope, reverse charge (UNTDID 5305).
Category: TypeAlias = Literal["S", "E", "O", "AE"]
Nature: TypeAlias = Literal["services", "goods", "mixed"]  # decree 2022-1299
USUAL_PENALTIES = "trois fois le taux d'intérêt légal"  # the least of Code de commerce L441-10


class Kind(StrEnum):
    """The type code (BT-3) of UNTDID 1001."""

    INVOICE = "380"
    CREDIT_NOTE = "381"
    DEPOSIT = "386"
    SELF_BILLED = "389"
    SELF_BILLED_CREDIT = "261"
    DEPOSIT_CREDIT = "503"

    @property
    def is_credit(self) -> bool:
        """Tell whether it gives money back."""
        return self in {Kind.CREDIT_NOTE, Kind.SELF_BILLED_CREDIT, Kind.DEPOSIT_CREDIT}

    @property
    def is_self_billed(self) -> bool:
        """Tell whether the buyer writes it in the seller's name."""
        return self in {Kind.SELF_BILLED, Kind.SELF_BILLED_CREDIT}


@dataclass(frozen=True)
class PaperLine:
    """`quantity` (above zero) of one thing for `net` cents without VAT, below zero for a discount.

    `vat_rate` is in hundredths of a percent; `starts` and `ends` are both inside the period.
    """

    label: str
    quantity: int
    unit: Unit
    net: Cents
    vat_rate: int
    category: Category
    starts: date | None = None
    ends: date | None = None
    note: str = ""

    @property
    def price(self) -> tuple[Cents, int]:
        """Return the net price, never below zero (BR-27), and for how many units it is (BT-149).

        A price for one unit where that is exact, else for all: price × quantity stays exact.
        """
        size = abs(self.net)
        if size % self.quantity:
            return size, self.quantity
        return size // self.quantity, 1


@dataclass(frozen=True)
class VatGroup:
    """What is taxed alike (BG-23): basis and VAT in cents, and why there is none."""

    category: Category
    rate: int
    basis: Cents
    vat: Cents
    exemption_code: str = ""
    exemption_text: str = ""


@dataclass(frozen=True)
class Dates:
    """When it was issued, is due and was delivered; the first and last day of what it is for.

    Of an invoice that is paid already, `due` is the day on which it was paid.
    """

    issued: date
    due: date
    delivered: date
    starts: date | None = None
    ends: date | None = None


@dataclass(frozen=True)
class Totals:
    """In cents: with VAT (BT-112), already paid (BT-113), rounding (BT-114), to pay (BT-115)."""

    gross: Cents
    payable: Cents
    prepaid: Cents = 0
    rounding: Cents = 0


@dataclass(frozen=True)
class Preceding:
    """What a credit note corrects, an invoice replaces, or the deposit that a final one deducts.

    Of a deposit alone `gross` cents are deducted, with the `vat` cents that it charged of them.
    """

    number: str
    issued: date
    gross: Cents = 0
    vat: Cents = 0


@dataclass(frozen=True)
class References:
    """What the buyer calls it (BT-13, BT-10), what came before (BG-3), where it was delivered."""

    order: str = ""
    buyer: str = ""
    preceding: tuple[Preceding, ...] = ()
    delivered_to: PostalAddress | None = None


@dataclass(frozen=True)
class SelfBilling:
    """The written mandate of the seller, and how many days it has to contest an invoice."""

    mandated_on: date
    contest_days: int


@dataclass(frozen=True)
class Terms:
    """What the mentions depend on; `notes` are free texts, shown after them.

    `penalties` is what a business owes that pays late.
    """

    language: Language = "fr"
    nature: Nature = "services"
    vat_on_debits: bool = False
    notes: tuple[str, ...] = ()
    self_billing: SelfBilling | None = None
    penalties: str = USUAL_PENALTIES


@dataclass(frozen=True)
class ToBePaid:
    """Cents that the customer is still to pay by themselves; a card pays them at `link`, or ''."""

    units: Cents
    link: str = ""


@dataclass(frozen=True)
class PaperInvoice:
    """All that an invoice says. `checks.check` tells whether it may be issued.

    `to_be_paid` is of the day on which it is written: None once nothing is open, or a debit of it
    is announced, and for what the reader is not to pay.
    """

    number: str
    kind: Kind
    dates: Dates
    seller: Party
    buyer: Party
    lines: tuple[PaperLine, ...]
    groups: tuple[VatGroup, ...]
    totals: Totals
    payment: Payment | None = None
    to_be_paid: ToBePaid | None = None
    terms: Terms = field(default_factory=Terms)
    references: References = field(default_factory=References)
    brand: Brand = field(default_factory=Brand)
    commodity: str = "EUR"

    @property
    def net(self) -> Cents:
        """Return the sum of the lines, without VAT (BT-106, BT-109)."""
        return sum(line.net for line in self.lines)

    @property
    def vat(self) -> Cents:
        """Return all VAT together (BT-110)."""
        return sum(group.vat for group in self.groups)

    @property
    def is_paid(self) -> bool:
        """Tell whether all was paid before it was issued (BR-FR-CO-09)."""
        return self.totals.prepaid == self.totals.gross > 0
