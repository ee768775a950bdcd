"""The only door to sepaxml: the message pain.008 out, and a strict reader of such messages.

Formats: ISO 20022 pain.008.001.02 and pain.008.001.08, as EPC130-08 (customer-to-bank guidelines)
narrows them; the schemas are those that sepaxml ships.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import sepaxml
from lxml import etree
from sepaxml import SepaDD

from provision.errors import PaquetError
from provision.formats.sepa import identifiers
from provision.formats.sepa.characters import reference, shown
from provision.formats.sepa.debits import check_units

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from provision.formats.sepa.debits import Creditor, Debit

OLD, NEW = "pain.008.001.02", "pain.008.001.08"
SCHEMAS = (OLD, NEW)
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
MOST_BYTES = 32 * 1024 * 1024  # 5,000 debits are under 7 MB
LONGEST_REASON = 160


@dataclass(frozen=True)
class Heading:
    """What is once in a message: its schema, its identifier, when it was made, when it is due."""

    schema: str
    message_id: str
    created_at: datetime
    collect_on: date


class _Message(SepaDD):  # type: ignore[misc] # sepaxml ships no types
    """A message whose identifiers and time are given, where sepaxml draws lots and asks a clock."""

    def __init__(self, creditor: Creditor, heading: Heading) -> None:
        self.heading = heading
        config = {
            "name": creditor.name,
            "IBAN": creditor.iban,
            "BIC": creditor.bic,
            "creditor_id": creditor.creditor_identifier,
            "batch": True,
            "currency": "EUR",
        }
        super().__init__(config, schema=heading.schema, clean=False)

    def _create_header(self) -> None:
        super()._create_header()
        header = self._xml.find("CstmrDrctDbtInitn/GrpHdr")
        header.find("MsgId").text = self.heading.message_id
        header.find("CreDtTm").text = self.heading.created_at.strftime("%Y-%m-%dT%H:%M:%S")

    def _finalize_batch(self) -> None:
        super()._finalize_batch()
        for number, group in enumerate(self._xml.iter("PmtInf"), start=1):
            group.find("PmtInfId").text = f"{self.heading.message_id}-{number}"


def write(debits: Iterable[tuple[Debit, str]], creditor: Creditor, heading: Heading) -> bytes:
    """Return the message of `debits`, each with its sequence type, grouped by this type."""
    message = _Message(creditor, heading)
    for debit, sequence in debits:
        message.add_payment(_payment(debit, sequence, heading.collect_on))
    content: bytes = message.export(validate=False)
    return content


def validate(content: bytes) -> None:
    """Raise PaquetError unless `content` is a message that a bank will take.

    Checked are the schema, the counts and sums of file and groups, that no debit is there twice,
    each amount, and each IBAN.
    """
    root = _parse(content)
    _check_schema(root)
    (body,) = root.iterfind("{*}CstmrDrctDbtInitn")
    _check_sums(body, body.find("{*}GrpHdr"), "the whole")
    for group in body.iterfind("{*}PmtInf"):
        _check_sums(group, group, "a group")
    _check_debits(root)


def _payment(debit: Debit, sequence: str, collect_on: date) -> dict[str, object]:
    mandate = debit.mandate
    payment: dict[str, object] = {
        "name": debit.debtor_name(),
        "IBAN": mandate.iban,
        "amount": debit.units,
        "type": sequence,
        "collection_date": collect_on,
        "mandate_id": mandate.reference,
        "mandate_date": mandate.signed_on,
        "description": debit.remittance(),
        "endtoend_id": debit.end_to_end,
        "address": debit.foreign_address(),
    }
    return payment | ({"BIC": mandate.bic} if mandate.bic else {})


def _parse(content: bytes) -> etree._Element:
    """Read XML without entities, network or document type, or raise PaquetError."""
    if len(content) > MOST_BYTES:
        raise PaquetError(f"The file is larger than {MOST_BYTES // 1024 // 1024} MiB")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,  # a comment inside an amount would hide the rest of it
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as wrong:
        raise PaquetError(f"The file is not XML: {shown(str(wrong))}") from None
    if root.getroottree().docinfo.doctype:
        raise PaquetError("The file declares a document type, which no bank file does")
    return root


@cache
def _schema(name: str) -> etree.XMLSchema:
    """Read a schema once: it takes longer than a small file."""
    path = Path(sepaxml.__file__).parent / "schemas" / f"{name}.xsd"
    return etree.XMLSchema(etree.parse(path))


def _check_schema(root: etree._Element) -> None:
    name = etree.QName(root).namespace or ""
    schema = name.removeprefix(NAMESPACE)
    if schema not in SCHEMAS:
        raise PaquetError(f"The file is no {' or '.join(SCHEMAS)}, but {shown(name)}")
    try:
        _schema(schema).assertValid(root)
    except etree.DocumentInvalid as wrong:
        first = str(wrong).replace(f"{{{name}}}", "")
        raise PaquetError(
            f"The file does not follow {schema}: {first[:LONGEST_REASON]!a}"
        ) from None


def _check_sums(within: etree._Element, stated: etree._Element, what: str) -> None:
    """Compare the count and the sum that `stated` gives with the debits in `within`."""
    amounts = [_units(amount) for amount in within.iterfind(".//{*}InstdAmt")]
    count = int(stated.findtext("{*}NbOfTxs"))
    total = stated.findtext("{*}CtrlSum")
    if count != len(amounts):
        raise PaquetError(f"The file states {count} debits for {what} with {len(amounts)}")
    if total is None or _cents(total) != sum(amounts):
        raise PaquetError(f"The sum that the file states for {what} is not that of its debits")


def _check_debits(root: etree._Element) -> None:
    """Refuse an identifier that is there twice, and an account that cannot be."""
    known: set[str] = set()
    for end_to_end in root.iterfind(".//{*}EndToEndId"):
        if end_to_end.text in known:
            raise PaquetError(f"The debit {shown(end_to_end.text)} is in the file twice")
        known.add(reference(end_to_end.text, "reference of a debit"))
    path = "{*}DbtrAcct/{*}Id/{*}IBAN"
    for account in {debit.findtext(path, "") for debit in root.iterfind(".//{*}DrctDbtTxInf")}:
        identifiers.iban(account)


def _units(amount: etree._Element) -> int:
    if amount.get("Ccy") != "EUR":
        raise PaquetError(f"A debit is in {amount.get('Ccy')}, and SEPA knows only EUR")
    units = _cents(amount.text)
    check_units(units)
    return units


def _cents(written: str) -> int:
    """Return the cents of an amount that the schema took as a decimal, or raise PaquetError."""
    cents = Decimal(written).scaleb(2)
    if cents != cents.to_integral_value():
        raise PaquetError(f"The amount {written[:LONGEST_REASON]!a} has parts of a cent")
    return int(cents)
