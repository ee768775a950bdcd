"""An invoice on paper that carries its own XML: Factur-X, PDF/A-3b."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from stdnum import iban

from provision.formats.facturx.facturx_xml import facturx
from provision.formats.facturx.mentions import mentions
from provision.formats.facturx.parties import DirectDebit, Transfer, picture_type
from provision.formats.facturx.wording import day, quantity
from provision.formats.sepa.transfer_codes import AskedTransfer, transfer_code
from provision.money import show_euros
from provision.paper import Embedded, archive_pdf
from provision.rendering import render

if TYPE_CHECKING:
    from datetime import date

    from provision.formats.facturx.invoice import PaperInvoice, PaperLine
    from provision.formats.facturx.parties import Brand, Payment
    from provision.languages import Language
    from provision.money import Cents

FILE_NAME = "factur-x.xml"
# The XML says all that the pages say: profiles from BASIC on (Factur-X 1.0.05 and later, 6.2.2).
SAME_CONTENT = "Alternative"
SHOWN_OF_IBAN = 4


def invoice_pdf(invoice: PaperInvoice) -> bytes:
    """Return the PDF/A-3b of an invoice that may be issued, with `factur-x.xml` inside it.

    The same bytes each time, with the same fonts. Raises PaquetError as `facturx` does.
    """
    xml = facturx(invoice)
    embedded = Embedded(
        name=FILE_NAME,
        content=xml,
        description="Factur-X",
        relationship=SAME_CONTENT,
        modified=datetime.combine(invoice.dates.issued, time(), UTC),
        metadata=render("money/invoice-facturx.xml", {}).encode(),
    )
    return archive_pdf(invoice_html(invoice), letter_style(), embedded)


def invoice_html(invoice: PaperInvoice) -> str:
    """Return the page that is printed."""
    language = invoice.terms.language
    variables = {
        "invoice": invoice,
        "language": language,
        "created": f"{invoice.dates.issued}T00:00:00Z",
        "picture": picture(invoice.brand),
        "days": _days(invoice, language),
        "preceding": [
            {
                "number": preceding.number,
                "issued": day(preceding.issued, language),
                "gross": show_euros(preceding.gross, language) if preceding.gross else "",
            }
            for preceding in invoice.references.preceding
        ],
        "lines": [_line(line, language) for line in invoice.lines],
        "groups": [
            {
                "rate": rate(group.rate, language),
                "basis": show_euros(group.basis, language),
                "vat": show_euros(group.vat, language),
                "mention": group.exemption_text,
            }
            for group in invoice.groups
        ],
        "totals": _totals(invoice, language),
        "payment": _payment(invoice.payment, language),
        "scan": _scan(invoice, language),
        "link": invoice.to_be_paid.link if invoice.to_be_paid else "",
        "mentions": mentions(invoice),
    }
    return render("money/invoice.html", variables)


def letter_style() -> str:
    """Return the style sheet of all letters about money."""
    return render("money/letter.css", {})


def picture(brand: Brand) -> str:
    """Return the logo as a `data:` address, or nothing."""
    if brand.logo is None:
        return ""
    return f"data:{picture_type(brand.logo)};base64,{b64encode(brand.logo).decode()}"


def rate(hundredths: int, language: Language) -> str:
    """Return '20 %' or '5,5 %'; nothing for no VAT."""
    if not hundredths:
        return ""
    number = f"{hundredths / 100:g}"
    return f"{number.replace('.', ',')}\u00a0%" if language == "fr" else f"{number}%"


def _days(invoice: PaperInvoice, language: Language) -> dict[str, object]:
    dates = invoice.dates
    return {
        "issued": day(dates.issued, language),
        "due": day(dates.due, language),
        "delivered": day(dates.delivered, language),
        "period": _period(dates.starts, dates.ends, language),
    }


def _period(starts: date | None, ends: date | None, language: Language) -> tuple[str, str] | None:
    return (day(starts, language), day(ends, language)) if starts and ends else None


def _line(line: PaperLine, language: Language) -> dict[str, object]:
    price, per = line.price
    return {
        "label": line.label,
        "note": line.note,
        "period": _period(line.starts, line.ends, language),
        "quantity": quantity(
            -line.quantity if line.net < 0 else line.quantity, line.unit, language
        ),
        "price": show_euros(price, language),
        "per": per,
        "rate": rate(line.vat_rate, language),
        "net": show_euros(line.net, language),
    }


def _totals(invoice: PaperInvoice, language: Language) -> dict[str, str]:
    totals = invoice.totals
    deposited = sum(earlier.gross for earlier in invoice.references.preceding)

    def shown(units: Cents, *, always: bool = True) -> str:
        return show_euros(units, language) if units or always else ""

    return {
        "net": shown(invoice.net),
        "vat": shown(invoice.vat),
        "gross": shown(totals.gross),
        "prepaid": shown(totals.prepaid - deposited, always=False),
        "rounding": shown(totals.rounding, always=False),
        "payable": shown(totals.payable),
    }


def _payment(payment: Payment | None, language: Language) -> dict[str, str] | None:
    if payment is None:
        return None
    if isinstance(payment, DirectDebit):
        return {
            "mandate": payment.mandate,
            "creditor": payment.creditor,
            "account": _masked(payment.debtor_iban),
            "collected": day(payment.collected, language),
        }
    return {
        "mandate": "",
        "account": iban.format(payment.iban),
        "bic": payment.bic,
        "reference": payment.reference,
    }


def _scan(invoice: PaperInvoice, language: Language) -> dict[str, str] | None:
    """Return the code from which a bank's app makes the transfer, and how much it asks for."""
    payment, asked = invoice.payment, invoice.to_be_paid
    if asked is None or not isinstance(payment, Transfer) or invoice.commodity != "EUR":
        return None
    transfer = AskedTransfer(
        invoice.seller.name, payment.iban, payment.bic, asked.units, payment.reference
    )
    return {"code": transfer_code(transfer), "amount": show_euros(asked.units, language)}


def _masked(written: str) -> str:
    """Show an IBAN by its country and its last four characters: paper lies about."""
    number = iban.compact(written)
    hidden = number[:2] + "•" * (len(number) - 2 - SHOWN_OF_IBAN) + number[-SHOWN_OF_IBAN:]
    return " ".join(hidden[at : at + 4] for at in range(0, len(hidden), 4))
