"""Invoices that all tests of documents start from."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision.formats.facturx.invoice import (
    Dates,
    Kind,
    PaperInvoice,
    PaperLine,
    Preceding,
    References,
    SelfBilling,
    Terms,
    ToBePaid,
    Totals,
    VatGroup,
)
from provision.formats.facturx.parties import DirectDebit, Party, PostalAddress, Transfer
from provision.formats.facturx.receipts import Eligibility, PaperReceipt, ReceiptIssuer, Signatory
from provision.formats.facturx.vat import abroad_on, regime_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provision.formats.facturx.vat import Regime
    from provision.languages import Language

GOLDEN = Path(__file__).parents[3] / "golden" / "money" / "documents"
ISSUED = date(2026, 11, 1)
COOPERATIVE = Party(
    name="Libre Caen SCOP",
    address=PostalAddress(("12 rue des Communs",), "14000", "Caen"),
    siren="732829320",
    vat_id="FR44732829320",
    email="factures@librecaen.example",
    legal="SCOP SARL au capital variable, RCS Caen 732 829 320",
)
ASSOCIATION = Party(
    name="Les Communs numériques",
    address=PostalAddress(("Maison des associations", "8 place de la Mairie"), "14000", "Caen"),
    siren="404833048",
    email="bonjour@communs.example",
    legal="Association loi 1901, RNA W142000000",
)
JEANNE = Party(
    name="Jeanne Martin",
    address=PostalAddress(("3 impasse du Moulin",), "14220", "Thury-Harcourt-le-Hom"),
    email="jeanne@exemple.fr",
    is_person=True,
)
COMPANY = Party(
    name="Boulangerie Lefèvre & fils",
    address=PostalAddress(("Zone artisanale", "4 rue du Four"), "61100", "Flers"),
    siren="552100554",
    vat_id="FR63552100554",
    email="compta@lefevre.example",
    legal="SAS, RCS Alençon 552 100 554",
)
IBAN = "FR1420041010050500013M02606"
TRANSFER = Transfer(IBAN, "PSSTFRPPPAR", "F2026-00042")
DEBIT = DirectDebit("PAQUET-JEANNE-1", "FR72ZZZ123456", IBAN, date(2026, 11, 15))
MONTH = PaperLine(
    *("Paquet complet, un mois", 1, "month", 833, 2000, "S"),
    starts=ISSUED,
    ends=date(2026, 11, 30),
)


def vat_groups(*lines: PaperLine, regime: str = "liable", vat: int | None = None) -> PaperInvoice:
    """Return an invoice of `lines`, all of one regime, with VAT computed unless it is given."""
    return taxed(regime_on(regime, ISSUED), lines, vat)


def taxed(
    ruling: Regime, lines: Sequence[PaperLine], vat: int | None = None, language: Language = "fr"
) -> PaperInvoice:
    """Return an invoice of lines on which a regime rules, or a case of buyers abroad."""
    own = tuple(replace(line, category=ruling.category, vat_rate=ruling.rate) for line in lines)
    basis = sum(line.net for line in own)
    tax = (basis * ruling.rate + 5000) // 10000 if vat is None else vat
    return PaperInvoice(
        number="F2026-00042",
        kind=Kind.INVOICE,
        dates=Dates(ISSUED, date(2026, 12, 1), ISSUED, ISSUED, date(2026, 11, 30)),
        seller=COOPERATIVE,
        buyer=COMPANY,
        lines=own,
        groups=(ruling.group(basis, tax, language),),
        totals=Totals(gross=basis + tax, payable=basis + tax),
        payment=TRANSFER,
    )


WORK = PaperLine("Installation sur place", 3, "hour", 10000, 2000, "S")
BUSINESS = vat_groups(MONTH, WORK)
LINK = "https://pay.example/shop?order=F2026-00042&amount=130.00"
ASKED = replace(BUSINESS, to_be_paid=ToBePaid(BUSINESS.totals.payable, LINK))
PERSON = replace(vat_groups(MONTH), buyer=JEANNE, payment=DEBIT)
ENGLISH_PERSON = replace(PERSON, terms=Terms(language="en"))
FRANCHISE = replace(vat_groups(MONTH, regime="franchise"), seller=ASSOCIATION, buyer=JEANNE)
ACCESSORY = replace(vat_groups(MONTH, regime="association_accessory"), seller=ASSOCIATION)
OUTSIDE = replace(vat_groups(MONTH, regime="outside_scope"), seller=ASSOCIATION)
DISCOUNTED = vat_groups(MONTH, PaperLine("Remise de bienvenue", 3, "month", -100, 2000, "S"))
BOOK = PaperLine("Guide imprimé", 2, "piece", 1900, 550, "S", note="Deux exemplaires\nreliés")
TWO_RATES = replace(
    BUSINESS,
    lines=(*BUSINESS.lines, BOOK),
    groups=(*BUSINESS.groups, VatGroup("S", 550, 1900, 105)),
    totals=Totals(gross=15005, payable=15000, rounding=-5),
    terms=Terms(nature="mixed"),
)
INCLUSIVE = vat_groups(replace(MONTH, net=833), vat=167)
PAID = replace(
    PERSON,
    dates=replace(PERSON.dates, due=date(2026, 10, 30)),
    totals=Totals(gross=1000, payable=0, prepaid=1000),
    payment=None,
)
FINAL = replace(
    BUSINESS,
    references=References(
        "BC-77", "Service achats", (Preceding("A2026-00003", ISSUED, 5000, 833),)
    ),
    totals=replace(BUSINESS.totals, prepaid=5000, payable=BUSINESS.totals.gross - 5000),
)
DEPOSIT = replace(BUSINESS, kind=Kind.DEPOSIT, number="A2026-00003")
DEDUCTED = replace(
    PERSON,
    references=References(preceding=(Preceding("F2026-00040", date(2026, 10, 5), 600, 100),)),
    totals=Totals(gross=1000, payable=400, prepaid=600),
)
COVERED = replace(
    ENGLISH_PERSON,
    references=References(
        preceding=(
            Preceding("F2026-00040", date(2026, 10, 5), 600, 100),
            Preceding("F2026-00041", date(2026, 10, 6), 400, 0),
        )
    ),
    dates=replace(PERSON.dates, due=ISSUED),
    totals=Totals(gross=1000, payable=0, prepaid=1000),
    payment=None,
)
DEPOSIT_CREDIT = replace(
    PERSON,
    number="AV2026-00008",
    kind=Kind.DEPOSIT_CREDIT,
    references=References(preceding=(Preceding("F2026-00040", date(2026, 10, 5)),)),
    payment=None,
)
CREDIT = replace(
    PERSON,
    number="AV2026-00007",
    kind=Kind.CREDIT_NOTE,
    references=References(preceding=(Preceding("F2026-00042", ISSUED),)),
    payment=None,
)
MANDATE = SelfBilling(date(2026, 1, 15), 15)
SELF_BILLED = replace(
    ACCESSORY,
    number="AF-COMMUNS-2026-00010",
    kind=Kind.SELF_BILLED,
    buyer=COOPERATIVE,
    terms=Terms(self_billing=MANDATE),
)
SELF_BILLED_CREDIT = replace(
    SELF_BILLED,
    kind=Kind.SELF_BILLED_CREDIT,
    references=References(preceding=(Preceding("AF-COMMUNS-2026-00009", ISSUED),)),
    payment=None,
)
ENGLISH = replace(
    taxed(abroad_on("union_business", ISSUED), (MONTH, WORK), language="en"),
    buyer=replace(
        COMPANY,
        name="Kerry Seaweed Ltd",
        address=PostalAddress(("1 Harbour Road",), "V92 X0XX", "Tralee", "IE"),
        siren="",
        vat_id="IE6388047V",
        email="accounts@kerry.example",
        legal="",
    ),
    terms=Terms(language="en", vat_on_debits=True, notes=("Thank you for\nsupporting commons.",)),
)
EXAMPLES = {
    "business": BUSINESS,
    "asked": ASKED,
    "person": PERSON,
    "franchise": FRANCHISE,
    "accessory": ACCESSORY,
    "outside": OUTSIDE,
    "discounted": DISCOUNTED,
    "inclusive": INCLUSIVE,
    "two-rates": TWO_RATES,
    "paid": PAID,
    "final": FINAL,
    "deposit": DEPOSIT,
    "deducted": DEDUCTED,
    "covered": COVERED,
    "deposit-credit": DEPOSIT_CREDIT,
    "credit": CREDIT,
    "self-billed": SELF_BILLED,
    "self-billed-credit": SELF_BILLED_CREDIT,
    "english": ENGLISH,
}
ORGANISATION = ReceiptIssuer(
    party=ASSOCIATION,
    registration="SIREN 404 833 048, RNA W142000000",
    purpose="Des services numériques libres pour toutes et tous",
    signed=Signatory("Camille Durand", "trésorière"),
)
ELIGIBLE = replace(
    ORGANISATION,
    eligibility=Eligibility(
        "Organisme d’intérêt général à caractère éducatif",
        "rescrit fiscal du 12 mars 2025",
        ("200", "238 bis"),
    ),
)
GIFT = PaperReceipt("DON-2026-0003", ISSUED, JEANNE, 8001, date(2026, 10, 28), "transfer")
FEE = PaperReceipt("ADH-2026-0011", ISSUED, JEANNE, 2000, date(2026, 10, 28), "card")
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


def assert_golden(name: str, text: str) -> None:
    """Compare with the golden file; PAQUET_GOLDEN=write writes it, and still fails once."""
    path = GOLDEN / name
    written = path.read_text(encoding="utf-8") if path.exists() else None
    if os.environ.get("PAQUET_GOLDEN") == "write" and text != written:
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path} was written: read the difference, then run again without it")
    assert written is not None, f"{path} is missing: write it with PAQUET_GOLDEN=write"
    assert text == written
