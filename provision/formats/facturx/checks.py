"""Whether an invoice may be issued: its sums, its dates, and what the law wants on it. Pure.

Sources: EN 16931-1 (rules BR-…, as in the schematron of Factur-X 1.09) and the French rules BR-FR-…
of XP Z12-012 (schematron "Flux 2"), checked here so that no bad invoice gets a number.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from provision.days import sensible_day
from provision.errors import PaquetError
from provision.formats.facturx import parties, texts
from provision.money import EUR, show_euros

if TYPE_CHECKING:
    from datetime import date

    from provision.formats.facturx.invoice import PaperInvoice, PaperLine, VatGroup

NUMBER = re.compile("[A-Za-z0-9+_/-]{1,35}")  # BR-FR-01 and BR-FR-02
MOST_LINES, MOST_NOTES, MOST_PRECEDING = 1000, 20, 100
LARGEST = 10**12  # ten thousand million euros: a slip of the pen
WHOLE_CENT = 10_000  # a rate is in hundredths of a percent
FEWEST_CONTEST_DAYS, MOST_CONTEST_DAYS = 1, 90


def check(invoice: PaperInvoice) -> None:
    """Raise PaquetError with the first reason why the invoice must not be issued."""
    _check_number(invoice.number)
    if invoice.commodity != EUR.code:
        raise PaquetError(
            f"The invoice {invoice.number} is in {invoice.commodity[:20]!r}",
            "VAT and invoices are in EUR; other commodities have statements of their own.",
        )
    for check_part in (_check_people, _check_dates, _check_kind, _check_lines, _check_totals):
        check_part(invoice)


def _check_number(number: str) -> None:
    if not NUMBER.fullmatch(number):
        raise PaquetError(
            f"{number[:40]!a} cannot be the number of an invoice",
            "Use 1 to 35 letters, digits and + - _ / without spaces.",
        )


def _check_people(invoice: PaperInvoice) -> None:
    parties.check_party(invoice.seller, "seller")
    parties.check_party(invoice.buyer, "buyer")
    parties.check_brand(invoice.brand)
    if not invoice.seller.siren:
        raise PaquetError(
            f"The seller {invoice.seller.name[:40]!a} has no SIREN",
            "An invoice must carry it (annexe II CGI, art. 242 nonies A): "
            "paquet organisation identify NAME --siren NUMBER",
        )
    if invoice.references.delivered_to:
        parties.check_address(invoice.references.delivered_to, "delivery")
    if invoice.payment:
        parties.check_payment(invoice.payment)
    for reference in (invoice.references.order, invoice.references.buyer):
        texts.check_line(reference, "reference of the buyer")
    if len(invoice.terms.notes) > MOST_NOTES:
        raise PaquetError(f"The invoice {invoice.number} has more than {MOST_NOTES} notes")
    for note in invoice.terms.notes:
        texts.check_note(note, "note")


def _check_dates(invoice: PaperInvoice) -> None:
    dates = invoice.dates
    for day, what in ((dates.issued, "issued"), (dates.due, "due"), (dates.delivered, "delivered")):
        sensible_day(day, f"the day on which an invoice is {what}")
    if dates.due < dates.issued and not invoice.is_paid:
        raise PaquetError(
            f"The invoice {invoice.number} is due before it is issued", "Give a later day."
        )
    _check_collection(invoice)
    _check_period(dates.starts, dates.ends, f"invoice {invoice.number}")
    for earlier in invoice.references.preceding:
        _check_number(earlier.number)
        if earlier.issued > dates.issued:
            raise PaquetError(
                f"{invoice.number} refers to {earlier.number}, which is of a later day"
            )


def _check_collection(invoice: PaperInvoice) -> None:
    if not isinstance(invoice.payment, parties.DirectDebit):
        return
    collected = sensible_day(invoice.payment.collected, "the day of a direct debit")
    if collected < invoice.dates.issued:
        raise PaquetError(
            f"{invoice.number} would be collected before it is issued", "Give a later day."
        )


def _check_period(starts: date | None, ends: date | None, what: str) -> None:
    if (starts is None) != (ends is None):
        raise PaquetError(f"The period of the {what} has only one end", "Give both days or none.")
    if starts and ends and sensible_day(starts, "a first day") > sensible_day(ends, "a last day"):
        raise PaquetError(f"The period of the {what} ends before it begins", "Swap the days.")


def _check_kind(invoice: PaperInvoice) -> None:
    preceding = invoice.references.preceding
    if invoice.kind.is_credit and not preceding:
        raise PaquetError(
            f"The credit note {invoice.number} corrects no invoice", "Name the invoice and its day."
        )
    if invoice.kind.is_credit and invoice.payment:
        raise PaquetError(
            f"The credit note {invoice.number} asks for money", "Leave the payment away."
        )
    if len(preceding) > MOST_PRECEDING:
        raise PaquetError(f"{invoice.number} refers to more than {MOST_PRECEDING} invoices")
    _check_mandate(invoice)


def _check_mandate(invoice: PaperInvoice) -> None:
    mandate = invoice.terms.self_billing
    if invoice.kind.is_self_billed != (mandate is not None):
        raise PaquetError(
            f"The self-billing of {invoice.number} is only half told",
            "A self-billed invoice needs the seller's mandate, and no other has one.",
        )
    if mandate and not FEWEST_CONTEST_DAYS <= mandate.contest_days <= MOST_CONTEST_DAYS:
        raise PaquetError(f"A seller cannot have {mandate.contest_days} days to contest an invoice")
    if mandate and mandate.mandated_on > invoice.dates.issued:
        raise PaquetError(f"{invoice.number} is issued before the seller gave its mandate")


def _check_lines(invoice: PaperInvoice) -> None:
    if not 1 <= len(invoice.lines) <= MOST_LINES:
        raise PaquetError(
            f"The invoice {invoice.number} has {len(invoice.lines)} lines",
            f"Give 1 to {MOST_LINES}.",
        )
    for number, line in enumerate(invoice.lines, 1):
        _check_line(line, f"line {number} of {invoice.number}")


def _check_line(line: PaperLine, what: str) -> None:
    texts.check_name(line.label, what)
    texts.check_note(line.note, f"note of {what}")
    _check_period(line.starts, line.ends, what)
    if not 1 <= line.quantity <= LARGEST:
        raise PaquetError(
            f"The quantity of {what} is {line.quantity}",
            "It is above zero; a discount has a net amount below zero.",
        )
    _check_size(line.net, what)


def _check_totals(invoice: PaperInvoice) -> None:
    _check_groups(invoice)
    totals, number = invoice.totals, invoice.number
    for units in (totals.gross, totals.prepaid, totals.rounding, totals.payable):
        _check_size(units, number)
    if totals.gross != invoice.net + invoice.vat:
        raise PaquetError(
            f"The total of {number} is {show_euros(totals.gross)}, net and VAT are"
            f" {show_euros(invoice.net + invoice.vat)}",
            "Total = sum of the lines + VAT (BR-CO-15).",
        )
    if totals.payable != totals.gross - totals.prepaid + totals.rounding:
        raise PaquetError(
            f"What is to pay of {number} does not follow from its total",
            "To pay = total − already paid + rounding (BR-CO-16).",
        )
    deposited = sum(earlier.gross for earlier in invoice.references.preceding)
    if deposited > totals.prepaid:
        raise PaquetError(
            f"{number} deducts deposits of {show_euros(deposited)}, "
            f"{show_euros(totals.prepaid)} are already paid",
            "Deposits are a part of what is already paid (BT-113).",
        )
    if totals.gross < 0 or totals.payable < 0:
        raise PaquetError(
            f"The total of {number}, or what is to pay of it, is below zero",
            "Issue a credit note of the positive amount.",
        )


def _check_groups(invoice: PaperInvoice) -> None:
    basis: Counter[tuple[str, int]] = Counter()
    for line in invoice.lines:
        basis[line.category, line.vat_rate] += line.net
    keys = [(group.category, group.rate) for group in invoice.groups]
    if any(key == next_key for key, next_key in pairwise(sorted(keys))) or set(keys) != set(basis):
        raise PaquetError(
            f"The VAT of {invoice.number} is not grouped like its lines",
            "One group for each category and rate of the lines.",
        )
    if len(keys) > 1 and any(category == "O" for category, _ in keys):
        raise PaquetError(
            f"{invoice.number} mixes what is outside VAT with other lines",
            "Issue two invoices (BR-O-11).",
        )
    for group in invoice.groups:
        _check_group(group, basis[group.category, group.rate], invoice)


def _check_group(group: VatGroup, basis: int, invoice: PaperInvoice) -> None:
    what = f"the VAT of {invoice.number} at {group.rate / 100:g} %"
    texts.check_line(group.exemption_text, f"reason of {what}", texts.LONGEST_NAME)
    texts.check_line(group.exemption_code, f"reason of {what}")
    if group.basis != basis:
        raise PaquetError(
            f"The basis of {what} is {show_euros(group.basis)}, its lines have {show_euros(basis)}",
            "Basis = sum of the lines of that rate (BR-S-08).",
        )
    # A price with VAT included gives a VAT that is rounded once: up to one cent from basis × rate.
    if abs(group.vat * WHOLE_CENT - basis * group.rate) >= WHOLE_CENT:
        raise PaquetError(
            f"{show_euros(group.vat)} cannot be {what} on {show_euros(basis)}",
            "Compute it again (BR-CO-17).",
        )
    if group.category == "S":
        if not 0 < group.rate < WHOLE_CENT or not invoice.seller.vat_id:
            raise PaquetError(
                f"{invoice.seller.name[:40]} cannot charge {what}",
                "It needs a rate above 0 and the seller's VAT number (BR-S-02, BR-S-05).",
            )
        return
    if group.category == "AE" and not (invoice.seller.vat_id and invoice.buyer.vat_id):
        raise PaquetError(
            f"On {invoice.number} the buyer owes the VAT, and one of both has no VAT number",
            "Both numbers stand on it (BR-AE-02).",
        )
    if group.rate or not (group.exemption_code and group.exemption_text):
        raise PaquetError(
            f"Why there is no VAT on {invoice.number} is not said",
            "Give rate 0, the code of the exemption and its text (BR-E-10, BR-O-10, BR-AE-10).",
        )


def _check_size(units: int, what: str) -> None:
    if abs(units) > LARGEST:
        raise PaquetError(
            f"An amount of {what} is beyond belief: {show_euros(units)}", "Check it again."
        )
