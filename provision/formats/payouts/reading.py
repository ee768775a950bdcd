"""A provider's CSV into payouts, each whole and checked. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.formats.bank import fields, sheets
from provision.formats.payouts.payouts import Payout, PayoutRefused, ProviderPayment, checked
from provision.money import EUR, show_euros

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from provision.formats.bank.sheets import SheetRow
    from provision.formats.payouts.providers import ProviderMapping
    from provision.money import Cents

MOST_BYTES = 32 * 1024 * 1024
PAYMENTS, TAKEN, FEES, TOTALS = "payments", "taken", "fees", "totals"  # of `providers.Kinds`
MISTAKE = "Compare the table of the provider with the first lines of the file."


@dataclass
class _Collected:
    """The lines of one payout as they come: its day, its payments, and its total where one is."""

    day: date
    payments: list[ProviderPayment] = field(default_factory=list)
    net: Cents | None = None
    line: int = 0


def read(content: bytes, name: str, mapping: ProviderMapping) -> tuple[Payout, ...]:
    """Return the payouts that the file `name` holds, the oldest first.

    Raises PayoutRefused, with the name of the file and the line, for anything that is not wholly
    right. What is not paid out yet is left out.
    """
    try:
        columns = mapping.columns
        named = [column for _, column in columns if isinstance(column, str | int)]
        rows = sheets.rows(content, mapping, named)
        _check_words(rows[0], mapping)
        payouts = _payouts(rows, mapping)
    except PaquetError as refused:
        raise PayoutRefused(f"{fields.shown(name)}: {refused.message}", refused.hint) from None
    return tuple(sorted(payouts, key=lambda payout: (payout.day, payout.reference)))


def _check_words(row: SheetRow, mapping: ProviderMapping) -> None:
    """Want one of the columns at least that may say what a payment pays."""
    if not any(column in row.cells for column in mapping.columns.what):
        wanted = " or ".join(str(column) for column in mapping.columns.what)
        raise PayoutRefused(f"The CSV file has no column {wanted}", MISTAKE)


def _payouts(rows: Iterable[SheetRow], mapping: ProviderMapping) -> list[Payout]:
    collected: dict[str, _Collected] = {}
    for row in rows:
        if not row.cell(mapping.columns.paid_out):
            continue
        day = row.day(mapping.columns.paid_out)
        payout = collected.setdefault(_reference(row, mapping, day), _Collected(day))
        if payout.day != day:
            raise PayoutRefused(
                f"Line {row.number}: its payout is of {payout.day}, and not of {day}", MISTAKE
            )
        _collect(payout, row, mapping)
    return [_whole(mapping, name, payout) for name, payout in collected.items()]


def _reference(row: SheetRow, mapping: ProviderMapping, day: date) -> str:
    """Return the provider's name of the payout; a day alone would stand in many a bank's text."""
    return row.cell(mapping.columns.payout) if mapping.columns.payout else f"day-{day}"


def _collect(payout: _Collected, row: SheetRow, mapping: ProviderMapping) -> None:
    """Add what a line says to its payout."""
    kind = _kind(row, mapping)
    gross, fee, net = _amounts(row, mapping)
    if gross - fee != net:
        raise PayoutRefused(
            f"Line {row.number}: {show_euros(gross)} less a fee of {show_euros(fee)} is not "
            f"{show_euros(net)}",
            MISTAKE,
        )
    payout.line = row.number
    if kind == TOTALS:
        payout.net = (payout.net or 0) + abs(net)
        return
    if kind == FEES:
        gross, fee = 0, -net
    elif kind == TAKEN and net > 0:
        gross, fee = -gross, -fee
    if gross or fee:
        payout.payments.append(_payment(row, mapping, gross, fee))


def _payment(row: SheetRow, mapping: ProviderMapping, gross: Cents, fee: Cents) -> ProviderPayment:
    columns = mapping.columns
    return ProviderPayment(
        reference=row.cell(columns.reference),
        payer=fields.text(*(row.cell(column) for column in columns.payer)),
        day=row.day(columns.day if columns.day and row.cell(columns.day) else columns.paid_out),
        gross=gross,
        fee=fee,
        what=fields.text(*(row.cell(column) for column in columns.what)),
        line=row.number,
    )


def _kind(row: SheetRow, mapping: ProviderMapping) -> str:
    """Return what the line is, and refuse one of which the table does not tell."""
    columns = mapping.columns
    currency = row.cell(columns.currency)
    if columns.currency is not None and currency.upper() != EUR.code:
        raise PayoutRefused(
            f"Line {row.number} is in {fields.shown(currency)}, and only euros are kept here",
            "Export the payouts in euros by themselves.",
        )
    if columns.kind is None:
        return PAYMENTS
    written = row.cell(columns.kind)
    for kind, values in mapping.kinds:
        if written.casefold() in {value.casefold() for value in values}:
            return str(kind)
    raise PayoutRefused(
        f"Line {row.number}: nobody knows what {fields.shown(written)} is",
        "Say it in [kinds] of a table of your own, or leave such lines out: --csv.",
    )


def _amounts(row: SheetRow, mapping: ProviderMapping) -> tuple[Cents, Cents, Cents]:
    """Return gross, fee and net of a line; what no column says is computed."""
    columns = mapping.columns
    gross, fee, net = (
        None if column is None else row.amount(column)
        for column in (columns.gross, columns.fee, columns.net)
    )
    if fee is None:
        fee = 0 if gross is None or net is None else gross - net
    if gross is None:
        gross = fee + (net or 0)
    return gross, fee, gross - fee if net is None else net


def _whole(mapping: ProviderMapping, reference: str, payout: _Collected) -> Payout:
    """Return the payout: it is what a line says that it is, else what its payments come to."""
    gross = sum(payment.gross for payment in payout.payments)
    fees = sum(payment.fee for payment in payout.payments)
    net = gross - fees
    if payout.net is not None:
        net = -payout.net if net < 0 else payout.net
    whole = Payout(
        provider=mapping.provider,
        reference=reference,
        day=payout.day,
        gross=gross,
        fees=fees,
        net=net,
        payments=tuple(payout.payments),
        own_numbers=mapping.own_numbers,
        has_total=payout.net is not None,
    )
    return checked(whole, payout.line)
