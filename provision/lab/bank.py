"""The bank of the rehearsal: it reads files of direct debits and answers with a statement.

It knows nothing of how the files were made: it reads them as a bank does (ISO 20022,
pain.008.001.02 and later) and writes camt.053.001.02.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree
from markupsafe import Markup

from provision.errors import PaquetError
from provision.rendering import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date


@dataclass(frozen=True)
class StatementEntry:
    """One entry of a statement: cents above zero come in. A `reason` says why a debit came back."""

    on: date
    units: int
    name: str = ""
    text: str = ""
    batch: str = ""
    count: int = 0
    end_to_end: str = ""
    mandate: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Account:
    """An account at this bank, and what is on it, in cents."""

    iban: str
    units: int = 0


@dataclass(frozen=True)
class LabStatement:
    """What the bank says of some days, and what is on the account afterwards."""

    content: bytes
    account: Account


def collected(
    file: bytes, on: date, returned: Mapping[str, str], late: date
) -> list[StatementEntry]:
    """Return the entries that a file of debits gives: one sum in, and each return out later.

    `returned` says which debit (end-to-end reference) comes back, and with which reason.
    """
    entries = []
    for payment in _all(_read(file), "PmtInf"):
        debits = _all(payment, "DrctDbtTxInf")
        message = _text(_read(file), "GrpHdr/MsgId")
        units = sum(_cents(_text(debit, "InstdAmt")) for debit in debits)
        entries.append(StatementEntry(on, units, batch=message, count=len(debits)))
        entries += [_return(debit, returned, late) for debit in debits if _id(debit) in returned]
    return entries


def statement(
    account: Account, entries: Sequence[StatementEntry], days: tuple[date, date], message: str
) -> LabStatement:
    """Return the statement of the days from the first to the last, both inside."""
    closing = account.units + sum(entry.units for entry in entries)
    words = {
        "message": message,
        "account": account.iban,
        "opening": account.units,
        "closing": closing,
        "first_day": days[0],
        "last_day": days[1],
        "entries": sorted(entries, key=lambda entry: entry.on),
        "amount": _amount,
    }
    content = render("lab/statement.xml", words).encode()
    return LabStatement(content, Account(account.iban, closing))


def _return(debit: etree._Element, returned: Mapping[str, str], late: date) -> StatementEntry:
    return StatementEntry(
        on=late,
        units=-_cents(_text(debit, "InstdAmt")),
        name=_text(debit, "Dbtr/Nm"),
        end_to_end=_id(debit),
        mandate=_text(debit, "DrctDbtTx/MndtRltdInf/MndtId"),
        reason=returned[_id(debit)],
    )


def _read(file: bytes) -> etree._Element:
    try:
        return etree.fromstring(file, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as wrong:
        raise PaquetError(f"The bank cannot read the file of debits: {wrong}") from None


def _all(inside: etree._Element, name: str) -> list[etree._Element]:
    return list(inside.iter(f"{{*}}{name}"))


def _text(inside: etree._Element, path: str) -> str:
    node = inside.find(".//" + "/".join(f"{{*}}{step}" for step in path.split("/")))
    return "" if node is None or node.text is None else str(node.text)


def _id(debit: etree._Element) -> str:
    return _text(debit, "EndToEndId")


def _cents(written: str) -> int:
    whole, _, rest = written.partition(".")
    return int(whole) * 100 + int(rest.ljust(2, "0"))


def _amount(units: int) -> Markup:
    sign = "CRDT" if units >= 0 else "DBIT"
    whole, rest = divmod(abs(units), 100)
    return Markup(  # noqa: S704 (two numbers and a word of ours)
        f'<Amt Ccy="EUR">{whole}.{rest:02d}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'
    )
