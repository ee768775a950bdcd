"""Which column of a list says what: heads and words of others, in a commented TOML file.

The shipped one (`templates/clients.example.toml`) is read always; one's own is read beside it, and
wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from provision import strict
from provision.errors import UsageRefused
from provision.formats.codes.countries import plain
from provision.languages import Language  # noqa: TC001 (pydantic reads it)
from provision.shipped import share
from provision.strict import Table, edge

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EXAMPLE = "templates/clients.example.toml"
UNREAD = ""
STREETS = ("street", "street_2", "street_3")
WHO = ("paquet_number", "email")
CLIENT = (
    *("name", "first_name", "kind", "siren", "vat_id", *STREETS),
    *("postcode", "city", "country", "language", "order_reference"),
)
MANDATE = ("iban", "bic", "holder", "reference", "signed_on", "last_collected_on", "notice_days")
SUBSCRIPTION = ("plan", "begins_on", "paid_until", "term", "supported_by")
WORDS = (*WHO, *CLIENT, *MANDATE, *SUBSCRIPTION)


def _word(typed: str) -> str:
    if typed not in WORDS:
        raise UsageRefused(f"{typed[:40]!r} is no word of a client", f"Use {', '.join(WORDS)}.")
    return typed


Heads = Annotated[tuple[str, ...], Field(strict=False, max_length=100)]
Word = Annotated[str, AfterValidator(edge(_word))]


class ClientColumns(Table):
    """The file: heads by word, cells by what they mean, and heads that say nothing here."""

    unread: Heads = ()
    heads: dict[Word, Heads] = Field(default_factory=dict)
    kinds: dict[Literal["person", "company", "non-profit"], Heads] = Field(default_factory=dict)
    terms: dict[Literal["monthly", "yearly"], Heads] = Field(default_factory=dict)
    languages: dict[Language, Heads] = Field(default_factory=dict)


@dataclass(frozen=True)
class Vocabulary:
    """What heads and cells mean, by their letters and digits alone; a head may mean UNREAD."""

    heads: Mapping[str, str]
    cells: Mapping[str, Mapping[str, str]]

    def word(self, head: str) -> str | None:
        """Return the word that a head stands for, UNREAD, or None for one that nobody knows."""
        return self.heads.get(plain(head))


def vocabulary(own: Path | None = None) -> Vocabulary:
    """Return what heads and cells mean; `own` is a file of somebody's.

    Raises PaquetError with the first mistake in it.
    """
    shipped = _shipped()
    if own is None:
        return shipped
    other = _vocabulary(strict.read(own, ClientColumns, EXAMPLE))
    return Vocabulary(
        heads={**shipped.heads, **other.heads},
        cells={of: {**known, **other.cells[of]} for of, known in shipped.cells.items()},
    )


@cache
def _shipped() -> Vocabulary:
    text = (share("templates") / "clients.example.toml").read_text(encoding="utf-8")
    own_words = {plain(word): word for word in WORDS}
    told = _vocabulary(strict.parse(text, ClientColumns, EXAMPLE))
    return Vocabulary({**own_words, **told.heads}, told.cells)


def _vocabulary(columns: ClientColumns) -> Vocabulary:
    unread = {plain(head): UNREAD for head in columns.unread}
    return Vocabulary(
        heads=unread | _turned(columns.heads),
        cells={
            "kind": _turned(columns.kinds),
            "term": _turned(columns.terms),
            "language": _turned(columns.languages),
        },
    )


def _turned(by_word: Mapping[Any, tuple[str, ...]]) -> dict[str, str]:
    return {plain(head): word for word, heads in by_word.items() for head in (word, *heads)}
