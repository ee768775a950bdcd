"""What the law wants an invoice to say, once for the paper and the XML.

Sources: annexe II CGI art. 242 nonies A; code de commerce L441-9, L441-10, D441-5; code civil
1231-6; decree 2022-1299. The codes are of UNTDID 4451 (BR-FR-05).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from provision.formats.codes import vat_zones
from provision.formats.codes.vat_zones import Zone
from provision.formats.facturx.invoice import USUAL_PENALTIES
from provision.formats.facturx.wording import day
from provision.money import show_euros
from provision.rendering import render

if TYPE_CHECKING:
    from provision.formats.facturx.invoice import Nature, PaperInvoice, SelfBilling
    from provision.languages import Language

FREE_TEXT, TREATMENT = "AAI", "BAR"
USUAL_IN_ENGLISH = "three times the legal interest rate"


@dataclass(frozen=True)
class Mention:
    """A text (BT-22) and what it is about (BT-21)."""

    code: str
    text: str


@dataclass(frozen=True)
class _Needed:
    """All that the legal mentions depend on: equal for nearly all invoices of a day."""

    language: Language
    person: bool
    nature: Nature
    vat_on_debits: bool
    self_billing: SelfBilling | None
    penalties: str
    seller: str
    buyer: str


def mentions(invoice: PaperInvoice) -> tuple[Mention, ...]:
    """Return what is printed on the invoice and is in its notes."""
    terms = invoice.terms
    billed_by_itself = terms.self_billing is not None
    legal = _legal(
        _Needed(
            language=terms.language,
            person=invoice.buyer.is_person,
            nature=terms.nature,
            vat_on_debits=terms.vat_on_debits,
            self_billing=terms.self_billing,
            penalties=penalties(terms.penalties, terms.language),
            seller=invoice.seller.name if billed_by_itself else "",
            buyer=invoice.buyer.name if billed_by_itself else "",
        )
    )
    own = tuple(Mention(FREE_TEXT, note) for note in terms.notes)
    return legal + _deducted(invoice) + own


def penalties(written: str, language: str) -> str:
    """Return what late business customers owe; what is usual in the language of the reader."""
    return USUAL_IN_ENGLISH if written == USUAL_PENALTIES and language == "en" else written


def _deducted(invoice: PaperInvoice) -> tuple[Mention, ...]:
    """Return what is deducted of each deposit, and how much of it is VAT that was charged then."""
    language = invoice.terms.language
    deposits = [
        {
            "number": preceding.number,
            "issued": day(preceding.issued, language),
            "gross": show_euros(preceding.gross, language),
            "vat": show_euros(preceding.vat, language) if preceding.vat else "",
        }
        for preceding in invoice.references.preceding
        if preceding.gross
    ]
    if not deposits:
        return ()
    rendered = render(f"money/invoice-deducted.{language}.txt", {"deposits": deposits})
    return tuple(Mention(FREE_TEXT, row) for row in rendered.splitlines())


def treatment(invoice: PaperInvoice) -> tuple[Mention, ...]:
    """Return how a platform treats the invoice (BR-FR-20), where that is beyond doubt.

    A French legal person without a VAT number may be outside VAT, thus outside e-invoicing: then
    nothing is said.
    """
    buyer, abroad = invoice.buyer, is_abroad(invoice)
    if buyer.is_person:
        return (Mention(TREATMENT, "B2CINT" if abroad else "B2C"),)
    if abroad:
        return (Mention(TREATMENT, "B2BINT"),)
    return (Mention(TREATMENT, "B2B"),) if buyer.siren and buyer.vat_id else ()


def is_abroad(invoice: PaperInvoice) -> bool:
    """Tell whether the buyer is outside of France; Monaco and overseas places are inside."""
    address = invoice.buyer.address
    return vat_zones.zone(address.country, address.postcode) in {Zone.UNION, Zone.OUTSIDE}


@lru_cache(maxsize=256)
def _legal(needed: _Needed) -> tuple[Mention, ...]:
    mandate = needed.self_billing
    variables = vars(needed) | {
        "self_billing": mandate is not None,
        "mandated_on": day(mandate.mandated_on, needed.language) if mandate else "",
        "contest_days": mandate.contest_days if mandate else 0,
    }
    rendered = render(f"money/invoice-notes.{needed.language}.txt", variables)
    return tuple(Mention(*row.split(" ", 1)) for row in rendered.splitlines())
