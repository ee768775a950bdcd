"""ISO 20022 bank-to-customer statements (camt.053.001.02 and later), read by local names.

Source: the ISO 20022 message definition of BankToCustomerStatement. Versions differ where `first`
is given two paths: .02 writes `Sts`, `Dbtr/Nm` and `AmtDtls/TxAmt`, later ones `Sts/Cd`,
`Dbtr/Pty/Nm` and `Amt`. Only booked entries count; camt.052 and camt.054 are refused by name, since
a report within the day and a notification have no balances to be checked against.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provision.formats.bank import fields, markup
from provision.formats.bank.camt_details import details_of
from provision.formats.bank.statements import Movement, Statement, StatementRefused

if TYPE_CHECKING:
    from datetime import date

    from provision.formats.bank.markup import Element
    from provision.formats.bank.statements import Detail
    from provision.money import Cents

NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:(camt\.\d{3})\.001\.(\d\d)\}Document")
STATEMENT, OLDEST = "camt.053", 2
OTHERS = {"camt.052": "a report within the day", "camt.054": "a notification of single movements"}
OPENINGS, CLOSINGS, BETWEEN = ("OPBD", "PRCD"), ("CLBD",), "ITBD"
SIGNS = {"CRDT": 1, "DBIT": -1}


def read(content: bytes) -> tuple[Statement, ...]:
    """Return the statements of the file in their order, or raise StatementRefused."""
    root = markup.parse(content)
    _check_message(root)
    statements = tuple(
        _statement(statement)
        for statement in markup.children(markup.child(root, "BkToCstmrStmt"), "Stmt")
    )
    if not statements:
        raise StatementRefused("The camt.053 file holds no statement")
    return statements


def _check_message(root: Element) -> None:
    message = NAMESPACE.fullmatch(root.tag)
    if not message:
        raise StatementRefused(
            "The XML file is not an ISO 20022 bank statement", "Ask the bank for camt.053."
        )
    kind, version = message.groups()
    if kind != STATEMENT:
        what = OTHERS.get(kind, "another message")
        raise StatementRefused(
            f"The file is {kind}, {what}, not a bank statement", "Ask the bank for camt.053."
        )
    if int(version) < OLDEST:
        raise StatementRefused(f"The file is camt.053.001.{version}, older than camt.053.001.02")


def _statement(statement: Element) -> Statement:
    account = fields.account(markup.first(statement, "Acct/Id/IBAN", "Acct/Id/Othr/Id"))
    fields.check_currency(markup.value(statement, "Acct", "Ccy") or "EUR")
    opening, opened_on = _balance(statement, OPENINGS)
    closing, closed_on = _balance(statement, CLOSINGS)
    entries = [entry for entry in markup.children(statement, "Ntry") if _is_booked(entry)]
    return Statement(
        account=account,
        number=fields.text(markup.first(statement, "LglSeqNb", "ElctrncSeqNb", "Id")),
        opened_on=opened_on,
        closed_on=closed_on,
        opening=opening,
        closing=closing,
        movements=tuple(_movement(entry, account) for entry in entries),
    )


def _balance(statement: Element, kinds: tuple[str, ...]) -> tuple[Cents, date]:
    """Return the balance of one of these kinds and its day; two of one meaning must agree."""
    balances = list(markup.children(statement, "Bal"))
    chosen = [balance for kind in kinds for balance in balances if _kind(balance) == kind]
    chosen = chosen or _between(balances, kinds)
    read = [
        (signed(balance), _day(markup.child(balance, "Dt"), "day of a balance"))
        for balance in chosen
    ]
    if not read:
        raise StatementRefused(f"The statement has no balance {' or '.join(kinds)}")
    if len({units for units, _ in read}) > 1:
        raise StatementRefused(f"The statement has two different balances {' or '.join(kinds)}")
    return read[0]


def _between(balances: list[Element], kinds: tuple[str, ...]) -> list[Element]:
    """Return the intermediate balance that stands for these kinds on one page of a statement.

    The first page ends with one, the last begins with one, a page between them has two.
    """
    between = [balance for balance in balances if _kind(balance) == BETWEEN]
    is_end_page = any(_kind(balance) in OPENINGS + CLOSINGS for balance in balances)
    if len(between) != (1 if is_end_page else 2):
        return []
    return between[:1] if kinds == OPENINGS else between[-1:]


def _kind(balance: Element) -> str:
    return markup.value(balance, "Tp", "CdOrPrtry", "Cd")


def signed(element: Element) -> Cents:
    """Return the euros of a balance or an entry in cents, below zero when it is a debit."""
    amount, indicator = markup.only(element, "Amt"), markup.only(element, "CdtDbtInd")
    side = "" if indicator is None else (indicator.text or "").strip()
    if amount is None or side not in SIGNS:
        raise StatementRefused(
            f"An amount of the statement has no {'CdtDbtInd' if amount is not None else 'Amt'}"
        )
    fields.check_currency(amount.get("Ccy", ""))
    units = fields.cents(amount.text or "", "amount", zeros=True)
    if units < 0:
        raise StatementRefused("An amount of the statement is below zero, beside its CdtDbtInd")
    return SIGNS[side] * units


def _day(moment: Element | None, what: str) -> date:
    return fields.day(markup.first(moment, "Dt", "DtTm"), what)


def _is_booked(entry: Element) -> bool:
    """Say whether the entry is booked; one that is pending or for information is left out."""
    written = markup.only(entry, "Sts")
    status = markup.value(written, "Cd") or markup.value(written)
    if status not in {"BOOK", "PDNG", "INFO", "FUTR"}:
        raise StatementRefused(f"An entry has the status {fields.shown(status)}")
    return status == "BOOK"


def _movement(entry: Element, account: str) -> Movement:
    units = signed(entry)
    reversal = _is_reversal(entry)
    details = details_of(entry, units, account, reversal=reversal)
    value_on = markup.child(entry, "ValDt")
    only = details[0] if len(details) == 1 else None
    return Movement(
        booked_on=_day(markup.child(entry, "BookgDt"), "day of an entry"),
        value_on=None if value_on is None else _day(value_on, "value day of an entry"),
        units=units,
        reference=fields.reference(markup.first(entry, "AcctSvcrRef", "NtryRef")),
        text=_text(entry, only),
        counterparty=only.counterparty if only else "",
        iban=only.iban if only else "",
        end_to_end=only.end_to_end if only else "",
        reason=_common_reason(details),
        code=_code(entry),
        reversal=reversal,
        details=details,
    )


def _is_reversal(entry: Element) -> bool:
    written = markup.value(entry, "RvslInd")
    if written not in {"", "true", "false", "1", "0"}:
        raise StatementRefused(f"An entry has the RvslInd {fields.shown(written)}")
    return written in {"true", "1"}


def _text(entry: Element, only: Detail | None) -> str:
    """Say what the bank says of the entry, with the names of the batch that we had sent."""
    batches = [markup.child(block, "Btch") for block in markup.children(entry, "NtryDtls")]
    names = [markup.value(batch, key) for batch in batches for key in ("MsgId", "PmtInfId")]
    return fields.text(markup.value(entry, "AddtlNtryInf"), *names, only.text if only else None)


def _common_reason(details: tuple[Detail, ...]) -> str:
    reasons = {detail.reason for detail in details}
    return reasons.pop() if len(reasons) == 1 else ""


def _code(entry: Element) -> str:
    """Return the bank transaction code, 'PMNT-IDDT-UPDD' or the bank's own."""
    domain = markup.child(entry, "BkTxCd", "Domn")
    parts = (
        markup.value(domain, "Cd"),
        markup.value(domain, "Fmly", "Cd"),
        markup.value(domain, "Fmly", "SubFmlyCd"),
    )
    own = markup.value(entry, "BkTxCd", "Prtry", "Cd")
    return fields.text("-".join(part for part in parts if part) or own)
