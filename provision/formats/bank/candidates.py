"""What we wait for, found by identifier, amount, account and name. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from provision.formats.bank.statements import Movement
    from provision.money import Cents

Kind: TypeAlias = Literal["invoice", "collection", "debit", "settlement", "return", "awaited"]
INVOICE: Kind = "invoice"
COLLECTION: Kind = "collection"
DEBIT: Kind = "debit"
SETTLEMENT: Kind = "settlement"
RETURN: Kind = "return"
AWAITED: Kind = "awaited"
# A word of a text: 'F-2026-0001' is one, and is not found inside 'F-2026-0001-2' or 'F-2026-00011'.
WORD = re.compile(r"\w+(?:[-/.]\w+)*")
SHORTEST_IDENTIFIER = 5  # '12' stands in many a text by chance
SHORTEST_NAME = 3
TITLES = frozenset({"m", "mr", "mme", "mlle", "monsieur", "madame"})


@dataclass(frozen=True)
class Expected:
    """An open invoice, a batch of debits, one of them, a settlement, or what is awaited.

    `units` above zero come in; what is awaited is in `payments.awaited_money`.
    `reference` is the number of the invoice, the message id of the batch, the EndToEndId of the
    debit or the name of the settlement; `document` is what a statement calls it where that is
    another word, which two issuers may share. A debit is known by its `mandate` too. `names` are
    those of the payer (or payee), any of which may stand on a statement. 'return' is made by
    `propose` only.
    """

    kind: Kind
    reference: str
    units: Cents
    end_to_ends: frozenset[str]
    names: tuple[str, ...]
    iban: str
    due_on: date
    document: str = ""
    mandate: str = ""

    @property
    def word(self) -> str:
        """What a statement calls it."""
        return self.document or self.reference

    @property
    def shown(self) -> str:
        """What a person tells it from all others by."""
        return f"{self.document} ({self.reference})" if self.document else self.reference


class Candidates:
    """Expectations, indexed once, so that thousands of them and of movements are quick."""

    def __init__(self, expected: Iterable[Expected]) -> None:
        self._by_identifier: dict[str, list[Expected]] = defaultdict(list)
        self._by_amount: dict[Cents, list[Expected]] = defaultdict(list)
        self._by_payer: dict[str, list[Expected]] = defaultdict(list)
        self._by_mandate: dict[str, list[Expected]] = defaultdict(list)
        every = tuple(dict.fromkeys(expected))
        common = Counter(
            word for expectation in every for name in expectation.names for word in name_words(name)
        )
        for expectation in every:
            self._by_mandate[expectation.mandate].append(expectation)
            # The invoice and the batch of a debit stand for it where nothing names it.
            if expectation.kind != DEBIT:
                self._by_amount[expectation.units].append(expectation)
            for identifier in expectation.end_to_ends | {expectation.word}:
                self._by_identifier[identifier.casefold()].append(expectation)
            # A name is found by its rarest word: of a thousand Martins, one is looked at.
            names = [words for name in expectation.names if (words := name_words(name))]
            rarest = {min(words, key=lambda word: (common[word], word)) for words in names}
            for word in {expectation.iban, *rarest} - {""}:
                self._by_payer[word].append(expectation)

    def identified(self, movement: Movement) -> list[Expected]:
        """Return those whose identifier stands in the movement."""
        given = {identifier.casefold() for identifier in end_to_ends(movement)}
        given |= {word.casefold() for word in text_identifiers(movement)}
        return _each_once(
            expected for word in sorted(given) for expected in self._by_identifier.get(word, ())
        )

    def under_mandate(self, movement: Movement) -> list[Expected]:
        """Return those under a mandate that the bank names beside the payments."""
        named = {detail.mandate for detail in movement.details} - {""}
        return _each_once(
            expected for word in sorted(named) for expected in self._by_mandate.get(word, ())
        )

    def of_amount(self, units: Cents) -> list[Expected]:
        """Return those of exactly this amount."""
        return self._by_amount.get(units, [])

    def of_payer(self, movement: Movement) -> list[Expected]:
        """Return those whose account, or all words of one of whose names, stand in the movement."""
        words = name_words(f"{movement.counterparty} {movement.text}")
        keys = sorted({movement.iban, *words} - {""})
        expected_lines = _each_once(
            expected for key in keys for expected in self._by_payer.get(key, ())
        )
        return [
            expected for expected in expected_lines if _is_payer(expected, movement.iban, words)
        ]


def end_to_ends(movement: Movement) -> frozenset[str]:
    """Return the EndToEndIds of the entry and of the payments inside it."""
    given = {movement.end_to_end, *(detail.end_to_end for detail in movement.details)}
    return frozenset(given - {""})


def _is_payer(expected: Expected, iban: str, words: frozenset[str]) -> bool:
    if expected.iban and expected.iban == iban:
        return True
    names = [name_words(name) for name in expected.names]
    return any(name <= words and max(map(len, name)) >= SHORTEST_NAME for name in names if name)


@lru_cache(maxsize=100_000)
def name_words(name: str) -> frozenset[str]:
    """Return the words of a name without accents, case and titles: banks drop them."""
    bare = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", name)
        if not unicodedata.combining(letter)
    )
    return frozenset(re.findall(r"\w+", bare.casefold())) - TITLES


def text_identifiers(movement: Movement) -> set[str]:
    """Return the words of the texts that can be an identifier: not short, and with a digit."""
    texts = (movement.text, *(detail.text for detail in movement.details))
    words = {word for text in texts for word in WORD.findall(text)}
    return {
        word
        for word in words
        if len(word) >= SHORTEST_IDENTIFIER and any(letter.isdigit() for letter in word)
    }


def _each_once(expected_lines: Iterable[Expected]) -> list[Expected]:
    return list(dict.fromkeys(expected_lines))
