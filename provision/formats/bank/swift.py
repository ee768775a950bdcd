"""SWIFT MT940 customer statements: mt-940 reads the fields, this checks that none was lost.

mt-940 is generous: it skips tags that it does not know, moves 30 February to the 28th, and lets a
movement without a code be overwritten by the next one. So balances and movements are checked by
their form first (SWIFT Standards MT, category 9: fields 25, 28C, 60a, 61, 62a), and counted after.
Its own `parse` opens a file where the content happens to be a path: only text is handed to it.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

from mt940 import Options
from mt940.models import Transactions

from provision.formats.bank import fields
from provision.formats.bank.statements import Detail, Movement, Statement, StatementRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.money import Cents

Data: TypeAlias = dict[str, Any]  # mt-940 fills it by tag
TAG = re.compile(r"^:(\d\d[A-Z]?):", re.MULTILINE)
BEFORE = {"13", "13D", "20", "21", "25", "25P", "28", "28C", "34F", "60F", "60M"}
AFTER = {"61", "62F", "62M", "64", "65", "86", "90C", "90D"}  # what may follow a movement's text
CLOSING = re.compile(r"^:62[FM]:", re.MULTILINE)
BALANCE = re.compile(r"([CD])(\d\d)(\d\d)(\d\d)([A-Z]{3})(\d{1,12},\d{0,2})", re.ASCII)
MOVEMENT = re.compile(
    r"(\d\d)(\d\d)(\d\d)(\d{4}|\s{4})?(R?[CD])([A-Z])?(\d{1,12},\d{0,2})([A-Z][A-Z0-9]{3})"
    r"(?:(?!//)[^\n]){0,16}(?://[^\n]{0,23})?(?:[^\n]*|\n[^\n:][^\n]*)",
    re.ASCII,
)
DETAILS = "86"
RETURNED = "RTI"  # the SWIFT transaction type of a returned item
ENVELOPE = re.compile(r"^(?:-\}|-$|\{[1-5]:)", re.MULTILINE)
# Words of the structured field 86 of SEPA payments: /EREF/…/MARF/…/REMI/…
WORDS = re.compile(r"/([A-Z]{4})/")


def read(text: str) -> tuple[Statement, ...]:
    """Return the statements of the file in their order, or raise StatementRefused."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    before, *blocks = re.split(r"^(?=:20:)", text, flags=re.MULTILINE)
    if not blocks or TAG.search(before):
        raise StatementRefused("The MT940 file does not begin with a statement (field 20)")
    return tuple(_statement(_body(block)) for block in _whole(blocks))


def _whole(blocks: list[str]) -> Iterator[str]:
    """Yield the statements: what begins like one before a closing balance is a line of a text."""
    begun = ""
    for block in blocks:
        begun += block
        if CLOSING.search(begun):
            yield begun
            begun = ""
    if begun:
        yield begun


def _body(block: str) -> str:
    """Return a message without its end and the envelope of the next one."""
    body, *rest = ENVELOPE.split(block)
    if any(TAG.search(piece) for piece in rest):
        raise StatementRefused("The MT940 file goes on after the end of a statement")
    return body


def _statement(block: str) -> Statement:
    tagged = _fields(block)
    opening, opened_on = _balance(tagged, "60")
    closing, closed_on = _balance(tagged, "62")
    lines = [_checked_line(line) for tag, line in tagged if tag == "61"]
    movements = tuple(
        _movement(data, line) for data, line in zip(_parsed(tagged), lines, strict=True)
    )
    return Statement(
        account=_account(_one(tagged, "25")),
        number=fields.text(_one(tagged, "28")),
        opened_on=opened_on,
        closed_on=closed_on,
        opening=opening,
        closing=closing,
        movements=movements,
    )


def _account(written: str) -> str:
    """Return the IBAN of field 25: an IBAN, perhaps after a BIC and a slash, or a RIB in pieces."""
    first = written.partition("\n")[0]
    return fields.iban(first.rpartition("/")[2]) or fields.account(first.replace("/", ""))


def _fields(block: str) -> list[tuple[str, str]]:
    """Return each field's tag and text; an unknown tag would be lost, so it is refused.

    Inside the text of a movement (86) a line may begin with a colon: what cannot follow there, such
    as ":12:11 HEURES", goes on with the text.
    """
    places = [*TAG.finditer(block)]
    ends = [*(place.start() for place in places[1:]), len(block)]
    tagged: list[tuple[str, str]] = []
    for place, end in zip(places, ends, strict=True):
        tag = place[1]
        if tagged and tagged[-1][0] == DETAILS and tag not in AFTER:
            tagged[-1] = (DETAILS, f"{tagged[-1][1]}\n{block[place.start() : end].strip()}")
        elif tag in BEFORE | AFTER:
            tagged.append((tag, block[place.end() : end].strip()))
        else:
            raise StatementRefused(f"The MT940 file has the field {tag}, which is none of MT940")
    return tagged


def _one(tagged: list[tuple[str, str]], prefix: str) -> str:
    values = [value for tag, value in tagged if tag[:2] == prefix]
    if len(values) != 1:
        raise StatementRefused(
            f"An MT940 statement has the field {prefix} {len(values)} times instead of once"
        )
    return values[0]


def _balance(tagged: list[tuple[str, str]], prefix: str) -> tuple[Cents, date]:
    written = _one(tagged, prefix)
    balance = BALANCE.fullmatch(written)
    if not balance:
        raise StatementRefused(f"The field {prefix} {fields.shown(written)} is not a balance")
    side, year, month, number, currency, amount = balance.groups()
    fields.check_currency(currency)
    units = fields.cents(amount, "balance", marks=",")
    return -units if side == "D" else units, fields.day_of(year, month, number, "day of a balance")


def _checked_line(written: str) -> re.Match[str]:
    line = MOVEMENT.fullmatch(written)
    if not line:
        raise StatementRefused(f"The field 61 {fields.shown(written)} is not a movement")
    year, month, number, entry = line.groups()[:4]
    fields.day_of(year, month, number, "day of a movement")
    if entry and entry.strip():
        fields.day_of(year, entry[:2], entry[2:], "entry day of a movement")
    return line


def _parsed(tagged: list[tuple[str, str]]) -> list[Data]:
    """Return what mt-940 reads of the movements, if it reads as many as there are.

    It is handed the opening, the movements and what follows each of them: nothing that it could
    log about, take for another movement, or add to the last one though it is of the statement.
    """
    pieces, count, holder = [], 0, ""
    for tag, value in tagged:
        holder = holder if tag == DETAILS else tag
        count += tag == "61"
        if holder == "61" or tag in {"60F", "60M"}:
            unlike_a_tag = value.replace("\n:", "\n ")
            pieces.append(f":{tag}:{unlike_a_tag}")
    try:
        transactions = Transactions(options=Options.all()).parse("\n".join(pieces))
    except (RuntimeError, ArithmeticError, ValueError, LookupError):
        raise StatementRefused("The MT940 file cannot be read") from None
    if len(transactions) != count:
        raise StatementRefused(f"Of {count} movements, {len(transactions)} could be read")
    return [transaction.data for transaction in transactions]


def _movement(data: Data, line: re.Match[str]) -> Movement:
    mark, units = line[5], fields.cents(line[7], "amount", marks=",")
    words = _words(_value(data, "transaction_details") or _value(data, "extra_details"))
    end_to_end = words.get("EREF") or _value(data, "end_to_end_reference")
    mandate = words.get("MARF") or _value(data, "additional_position_reference")
    reason = fields.text(words.get("RTRN"))
    name = fields.text(words.get("NAME") or _value(data, "applicant_name"))
    iban = fields.iban(words.get("IBAN") or _value(data, "applicant_iban"))
    signed = units if mark in {"C", "RD"} else -units
    text = fields.text(
        words.get("REMI") or _value(data, "purpose") or _value(data, "transaction_details"),
        _value(data, "extra_details"),
    )
    ours = fields.reference(end_to_end) or fields.reference(_value(data, "customer_reference"))
    return Movement(
        booked_on=_plain(data.get("entry_date") or data["date"]),
        value_on=_plain(data["date"]),
        units=signed,
        reference=fields.reference(_value(data, "bank_reference")),
        text=text,
        counterparty=name,
        iban=iban,
        end_to_end=ours,
        reason=reason,
        code=line[8],
        reversal=mark.startswith("R") or line[8][1:] == RETURNED,
        details=(Detail(signed, ours, fields.reference(mandate), name, iban, text, reason),),
    )


def _plain(day: date) -> date:
    """Return the day of mt-940's own kind of day."""
    return date(day.year, day.month, day.day)


def _words(details: str) -> dict[str, str]:
    """Return the words of a structured field 86; lines were folded, so they are joined."""
    _, *pieces = WORDS.split(details.replace("\n", ""))
    words = dict(zip(pieces[::2], pieces[1::2], strict=True))
    name = next((words[key] for key in ("NAME", "ORDP", "BENM") if key in words), "")
    return {key: value.strip("/ ") for key, value in (words | {"NAME": name}).items()}


def _value(data: Data, key: str) -> str:
    return str(data.get(key) or "")
