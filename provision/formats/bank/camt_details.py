"""The single payments inside one entry of a camt.053 statement (NtryDtls/TxDtls)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from provision.formats.bank import fields, markup
from provision.formats.bank.statements import Detail, StatementRefused
from provision.money import show_euros

if TYPE_CHECKING:
    from provision.formats.bank.markup import Element
    from provision.money import Cents

NUMBER = re.compile(r"[0-9]{1,15}")  # Max15NumericText
SIGNS = {"CRDT": 1, "DBIT": -1}
PAYER, PAYEE = "Dbtr", "Cdtr"


def details_of(entry: Element, units: Cents, account: str, *, reversal: bool) -> tuple[Detail, ...]:
    """Return the payments of an entry of `units` cents on `account`.

    An amount that the bank did not write stays None: the entry's amount is nobody's but the
    entry's, unless it holds one payment only. Amounts that are all there must add up to the entry.
    """
    blocks = list(markup.children(entry, "NtryDtls"))
    payments = [payment for block in blocks for payment in markup.children(block, "TxDtls")]
    details = tuple(_detail(payment, units, account, reversal=reversal) for payment in payments)
    if len(details) == 1 and details[0].units is None and _counted(blocks) <= 1:
        return (replace(details[0], units=units),)
    if _off(details, units) and _has_charges(entry, payments):
        return tuple(replace(detail, units=None) for detail in details)
    if _off(details, units):
        said = sum(detail.units or 0 for detail in details)
        raise StatementRefused(
            f"The payments of an entry make {show_euros(said)}, "
            f"but the entry is {show_euros(units)}",
            "Ask the bank about the entry before you book it.",
        )
    return details


def _off(details: tuple[Detail, ...], units: Cents) -> bool:
    """Say whether the amounts contradict the entry; where one is missing, they may be less."""
    said = [detail.units for detail in details if detail.units is not None]
    if len(said) == len(details):
        return bool(details) and sum(said) != units
    one_way = all(part * units >= 0 for part in said)
    return one_way and abs(sum(said)) > abs(units)


def _counted(blocks: list[Element]) -> int:
    """Return how many payments the bank says that there are; 0 where it does not say."""
    written = [markup.value(block, "Btch", "NbOfTxs") for block in blocks]
    return sum(int(number) for number in written if NUMBER.fullmatch(number))


def _has_charges(entry: Element, payments: list[Element]) -> bool:
    return any(markup.child(holder, "Chrgs") is not None for holder in (entry, *payments))


def _detail(payment: Element, units: Cents, account: str, *, reversal: bool) -> Detail:
    reason = fields.text(markup.first(payment, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"))
    name, iban = _other_side(payment, units, account, returned=reversal or bool(reason))
    remittance = markup.child(payment, "RmtInf")
    written = [piece.text for piece in markup.children(remittance, "Ustrd")]
    structured = [
        markup.value(piece, "CdtrRefInf", "Ref") for piece in markup.children(remittance, "Strd")
    ]
    return Detail(
        units=_units(payment, 1 if units >= 0 else -1),
        end_to_end=fields.reference(markup.value(payment, "Refs", "EndToEndId")),
        mandate=fields.reference(markup.value(payment, "Refs", "MndtId")),
        counterparty=name,
        iban=iban,
        text=fields.text(*written, *structured, markup.value(payment, "AddtlTxInf")),
        reason=reason,
    )


def _units(payment: Element, sign: int) -> Cents | None:
    """Return the euros of one payment in cents with its sign, None where they are not written."""
    amount = markup.child(payment, "Amt")
    if amount is None:
        amount = markup.child(payment, "AmtDtls", "TxAmt", "Amt")
    if amount is None or amount.get("Ccy") != "EUR":
        return None
    side = markup.value(payment, "CdtDbtInd")
    return SIGNS.get(side, sign) * fields.cents(amount.text or "", "amount", zeros=True)


def _other_side(payment: Element, units: Cents, account: str, *, returned: bool) -> tuple[str, str]:
    """Return name and IBAN of the one who is not the account's owner.

    Money in comes from the payer; of a payment that came back the bank repeats the first roles, so
    that money out goes back to the payer. A side that names our own account is never the other.
    """
    sides = [PAYER, PAYEE] if (units >= 0) != returned else [PAYEE, PAYER]
    parties = markup.child(payment, "RltdPties")
    identities = [
        (
            fields.text(
                markup.first(parties, f"{side}/Nm", f"{side}/Pty/Nm", f"{side}/Pty/OrgId/Nm")
            ),
            fields.iban(markup.first(parties, f"{side}Acct/Id/IBAN")),
        )
        for side in sides
    ]
    first, second = identities
    is_second = first[1] == account or (first == ("", "") and second[1] not in {"", account})
    return second if is_second else first
