"""Open Financial Exchange 1 (SGML) and 2 (XML): the bank statements of a download.

ofxtools reads the markup; the fields are read here, since banks write what its models refuse
(comma amounts, names that are too long). Source: OFX 2.3, section 11.4. OFX has no opening balance:
it is the ledger balance less all movements, so that only the next statement can contradict it.
"""

from __future__ import annotations

import re
from html import unescape
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias
from xml.sax.saxutils import escape

from ofxtools.Parser import OFXTree, ParseError, TreeBuilder

from provision.formats.bank import fields
from provision.formats.bank.markup import LONGEST_REASON, refuse_declarations
from provision.formats.bank.statements import Movement, Statement, StatementRefused

if TYPE_CHECKING:
    from datetime import date

    from provision.money import Cents

Element: TypeAlias = Any  # ofxtools ships no types
# A leaf without text and without an end, which would swallow the leaves after it.
EMPTY = re.compile(r"<(NAME|MEMO|CHECKNUM|REFNUM|BRANCHID|ACCTKEY|PAYEEID|SIC)>\s*(?=<)(?!</\1>)")
LIST, MOVEMENT = "BANKTRANLIST", "STMTTRN"


class Balanced(TreeBuilder):
    """Builds the tree of ofxtools, and refuses what it lets pass: ends that do not fit."""

    def __init__(self) -> None:
        super().__init__()
        self.unclosed: list[str] = []

    def feed(self, data: str) -> None:
        """Build the tree of a whole message, CDATA (which ofxtools joins across a line) inlined."""
        super().feed(EMPTY.sub("", _inlined(data)))

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        """Open an element."""
        self.unclosed.append(tag)
        return super().start(tag, attrs)

    def end(self, tag: str) -> Element:
        """Close the element that was opened last, or refuse."""
        if not self.unclosed or self.unclosed.pop() != tag:
            raise ParseError(f"</{tag[:40]}> closes nothing")
        return super().end(tag)

    def close(self) -> Element:
        """Return the root, or refuse a message that ends before it."""
        if self.unclosed:
            raise ParseError(f"<{self.unclosed[0][:40]}> is not closed")
        return super().close()


def read(content: bytes) -> tuple[Statement, ...]:
    """Return the statements of the file in their order, or raise StatementRefused.

    A payment card beside them is left out: the account that it is paid from shows what it costs.
    """
    refuse_declarations(content)
    root = _tree(content)
    statements = tuple(_statement(statement) for statement in root.iter("STMTRS"))
    if not statements and next(root.iter("CCSTMTRS"), None) is not None:
        raise StatementRefused(
            "The OFX file is of a payment card", "Export the account that the card is paid from."
        )
    if not statements:
        raise StatementRefused("The OFX file holds no bank statement")
    return statements


def _tree(content: bytes) -> Element:
    try:
        root = OFXTree().parse(BytesIO(content), Balanced())
        if root is None:
            raise ParseError("it holds no element")
    except (SyntaxError, AssertionError, ValueError, LookupError) as wrong:
        why = fields.text(str(wrong))[:LONGEST_REASON] or "it ends too early"
        raise StatementRefused(
            f"The file is not whole OFX: {why}", "Download it from the bank once more."
        ) from None
    return root


def _inlined(data: str) -> str:
    before, *sections = data.split("<![CDATA[")
    pieces = [before]
    for section in sections:
        inside, end, after = section.partition("]]>")
        if not end:
            raise ParseError("a CDATA section is not closed")
        pieces += [escape(inside), after]
    return "".join(pieces)


def _statement(statement: Element) -> Statement:
    fields.check_currency(_value(statement, "CURDEF"))
    entries = statement.findall(f"{LIST}/{MOVEMENT}")
    if len(entries) != len(list(statement.iter(MOVEMENT))):
        raise StatementRefused("The OFX file has a movement outside the list of movements")
    movements = tuple(_movement(entry) for entry in entries)
    closing = _units(_value(statement, "LEDGERBAL/BALAMT"))
    closed_on = _day(statement, "LEDGERBAL/DTASOF")
    return Statement(
        account=_account(statement),
        number="",
        opened_on=min(_day(statement, f"{LIST}/DTSTART") if entries else closed_on, closed_on),
        closed_on=closed_on,
        opening=closing - sum(movement.units for movement in movements),
        closing=closing,
        movements=movements,
    )


def _account(statement: Element) -> str:
    """Return the IBAN: ACCTID holds it, or BANKID, BRANCHID, ACCTID and ACCTKEY are a RIB."""
    keys = ("BANKID", "BRANCHID", "ACCTID", "ACCTKEY")
    parts = [_value(statement, f"BANKACCTFROM/{key}") for key in keys]
    return fields.iban(parts[2]) or fields.account("".join(parts))


def _movement(entry: Element) -> Movement:
    if entry.find("CURRENCY") is not None:
        fields.check_currency(_value(entry, "CURRENCY/CURSYM"))
    name = fields.text(_value(entry, "NAME") or _value(entry, "PAYEE/NAME"))
    return Movement(
        booked_on=_day(entry, "DTPOSTED"),
        value_on=_day(entry, "DTAVAIL") if entry.find("DTAVAIL") is not None else None,
        units=_units(_value(entry, "TRNAMT")),
        reference=fields.reference(_value(entry, "FITID")),
        text=fields.text(name, _value(entry, "MEMO"), _value(entry, "CHECKNUM")),
        counterparty=name,
        iban=fields.iban(_value(entry, "BANKACCTTO/ACCTID")),
        code=fields.text(_value(entry, "TRNTYPE")),
    )


def _units(written: str) -> Cents:
    """Read an amount with a point or, as French banks write it, a comma."""
    return fields.cents(written, "amount", marks=".,")


def _day(aggregate: Element, path: str) -> date:
    return fields.day(_value(aggregate, path), path.rpartition("/")[2])


def _value(aggregate: Element, path: str) -> str:
    """Return the text at the end of the path, its entities resolved, '' where there is none."""
    return unescape(aggregate.findtext(path) or "").strip()
