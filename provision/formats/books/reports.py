"""The tables an accountant asks for: journal, balance, grand livre, aged receivables. Pure."""

from __future__ import annotations

from collections import defaultdict
from types import MappingProxyType
from typing import TYPE_CHECKING

from provision.formats.books.balances import trial_balance
from provision.formats.books.plaintext_names import written
from provision.formats.books.tabular import table
from provision.money import Amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from provision.formats.books.balances import AccountBalance
    from provision.formats.books.booked import Booked, BookedLine
    from provision.formats.books.tabular import Cell
    from provision.languages import Language
    from provision.money import Cents, Commodity

RECEIVABLES = "41"
BANDS = (30, 60, 90)  # days since the entry took effect; one more band holds what is older

HEADERS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "journal": {
            "fr": (
                *("Numéro", "Journal", "Date", "Validée le", "Pièce", "Date de pièce", "Libellé"),
                *("Compte", "Libellé du compte", "Tiers", "Nom du tiers", "Unité"),
                *("Débit", "Crédit", "Lettrage"),
            ),
            "en": (
                *("Number", "Journal", "Date", "Validated on", "Piece", "Piece date", "Text"),
                *("Account", "Account label", "Party", "Party name", "Commodity"),
                *("Debit", "Credit", "Letter"),
            ),
        },
        "balance": {
            "fr": ("Compte", "Libellé", "Unité", "Débit", "Crédit", "Solde"),
            "en": ("Account", "Label", "Commodity", "Debit", "Credit", "Balance"),
        },
        "ledger": {
            "fr": (
                *("Compte", "Libellé du compte", "Unité", "Date", "Numéro", "Journal", "Pièce"),
                *("Libellé", "Tiers", "Débit", "Crédit", "Solde", "Lettrage"),
            ),
            "en": (
                *("Account", "Account label", "Commodity", "Date", "Number", "Journal", "Piece"),
                *("Text", "Party", "Debit", "Credit", "Balance", "Letter"),
            ),
        },
        "aged": {
            "fr": (
                *("Tiers", "Nom du tiers", "Unité", "0 à 30 jours", "31 à 60 jours"),
                *("61 à 90 jours", "Plus de 90 jours", "Total"),
            ),
            "en": (
                *("Party", "Party name", "Commodity", "0 to 30 days", "31 to 60 days"),
                *("61 to 90 days", "More than 90 days", "Total"),
            ),
        },
    }
)


def journal(entries: Iterable[Booked], language: Language) -> bytes:
    """Return every line of every entry, in the order of `entries`."""
    rows = (_journal_row(entry, line) for entry in entries for line in entry.lines)
    return table(HEADERS["journal"][language], rows, language)


def balance(entries: Iterable[Booked], language: Language) -> bytes:
    """Return the balance générale: each account and commodity with its sums."""
    rows = (_balance_row(account_balance) for account_balance in trial_balance(entries))
    return table(HEADERS["balance"][language], rows, language)


def general_ledger(entries: Iterable[Booked], language: Language) -> bytes:
    """Return the grand livre: by account and commodity, each line with the balance after it."""
    return table(HEADERS["ledger"][language], _ledger_rows(entries), language)


def aged_receivables(entries: Iterable[Booked], today: date, language: Language) -> bytes:
    """Return by party what accounts 41 still claim, by its age in days on `today`.

    Counted are the lines that took effect by `today` and are not matched; a payment that is not
    matched lowers the band of its own day.
    """
    return table(HEADERS["aged"][language], _aged_rows(entries, today), language)


def _journal_row(entry: Booked, line: BookedLine) -> list[Cell]:
    when: list[Cell] = [entry.effective_on, entry.recorded_on]
    what: list[Cell] = [entry.piece, entry.piece_on, entry.text]
    where = [line.account, line.label, line.party, line.party_label, _unit(line.commodity)]
    return [entry.number, entry.journal, *when, *what, *where, *_sides(line), line.letter]


def _balance_row(account_balance: AccountBalance) -> list[Cell]:
    sums = _amounts(
        account_balance.commodity,
        [account_balance.debit, account_balance.credit, account_balance.units],
    )
    return [account_balance.account, account_balance.label, _unit(account_balance.commodity), *sums]


def _ledger_rows(entries: Iterable[Booked]) -> Iterator[list[Cell]]:
    places: dict[tuple[str, str], list[tuple[Booked, BookedLine]]] = defaultdict(list)
    for entry in entries:
        for line in entry.lines:
            places[line.account, line.commodity.code].append((entry, line))
    for place in sorted(places):
        yield from _account_rows(places[place])


def _account_rows(lines: list[tuple[Booked, BookedLine]]) -> Iterator[list[Cell]]:
    running = 0
    for entry, line in sorted(lines, key=lambda pair: (pair[0].effective_on, pair[0].number)):
        running += line.units
        where: list[Cell] = [line.account, line.label, _unit(line.commodity)]
        what: list[Cell] = [entry.effective_on, entry.number, entry.journal, entry.piece]
        after = Amount(line.commodity, running)
        yield [*where, *what, entry.text, line.party, *_sides(line), after, line.letter]


def _aged_rows(entries: Iterable[Booked], today: date) -> Iterator[list[Cell]]:
    bands: dict[tuple[str, str], list[Cents]] = {}
    last: dict[tuple[str, str], BookedLine] = {}
    for entry in entries:
        for line in _open_claims(entry, today):
            place = (line.party, line.commodity.code)
            age = (today - entry.effective_on).days
            bands.setdefault(place, [0] * (len(BANDS) + 1))[_band(age)] += line.units
            last[place] = line
    for place, units in sorted(bands.items()):
        line = last[place]
        sums = _amounts(line.commodity, [*units, sum(units)])
        yield [line.party, line.party_label, _unit(line.commodity), *sums]


def _open_claims(entry: Booked, today: date) -> Iterator[BookedLine]:
    if entry.effective_on > today:
        return
    for line in entry.lines:
        if line.account.startswith(RECEIVABLES) and not line.letter:
            yield line


def _band(age: int) -> int:
    return sum(age > limit for limit in BANDS)


def _unit(commodity: Commodity) -> str:
    """Name what the amounts beside it count: hours are given in whole seconds, as they are kept."""
    return written(commodity).name


def _sides(line: BookedLine) -> list[Amount]:
    return _amounts(line.commodity, [max(line.units, 0), max(-line.units, 0)])


def _amounts(commodity: Commodity, units: Sequence[Cents]) -> list[Amount]:
    return [Amount(commodity, cents) for cents in units]
