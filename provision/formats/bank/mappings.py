"""How to read one bank's CSV: a commented TOML file, like `templates/bank-csv.example.toml`."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from provision import money, strict
from provision.errors import PaquetError
from provision.formats.bank import fields
from provision.formats.bank.sheets import Column, Sheet  # noqa: TC001 (pydantic reads it)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

EXAMPLE = "templates/bank-csv.example.toml"


def _edge(check: Callable[[str], Any]) -> Callable[[object], Any]:
    """Turn a check of ours into one of pydantic's, which says where in the file it refused."""

    def validate(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError("write it in quotes")  # noqa: TRY004 # pydantic wants a ValueError
        try:
            return check(value)
        except PaquetError as refused:
            raise ValueError(refused.message) from None

    return validate


Account = Annotated[str, BeforeValidator(_edge(fields.account))]
Balance = Annotated[
    int, BeforeValidator(_edge(lambda written: money.parse(written, negative=True).units))
]


class Columns(strict.Table):
    """Which column holds what: its name in the header line, or its number from 1."""

    booked: Column
    text: tuple[Column, ...] = Field(min_length=1, max_length=10, strict=False)
    amount: Column | None = None
    debit: Column | None = None
    credit: Column | None = None
    balance: Column | None = None
    value: Column | None = None
    reference: Column | None = None
    counterparty: Column | None = None
    iban: Column | None = None
    end_to_end: Column | None = None
    currency: Column | None = None

    @model_validator(mode="after")
    def check_amounts(self) -> Self:
        """Want a signed amount, or a debit and a credit, and not both."""
        if (self.amount is None) != (self.debit is not None and self.credit is not None):
            raise ValueError("give either amount, or debit and credit together")
        if self.amount is not None and (self.debit is not None or self.credit is not None):
            raise ValueError("give either amount, or debit and credit together")
        return self


class Balances(strict.Table):
    """The balances in cents where no column has them."""

    opening: Balance
    closing: Balance


class CsvMapping(Sheet):
    """How one bank writes its CSV."""

    account: Account
    columns: Columns
    balances: Balances | None = None

    @model_validator(mode="after")
    def check_balances(self) -> Self:
        """Want the balances from one place: without them no file can be checked."""
        if (self.columns.balance is None) == (self.balances is None):
            raise ValueError("give either a balance column or [balances], so that sums are checked")
        named = [column for _, column in self.columns if isinstance(column, str)]
        named += [column for column in self.columns.text if isinstance(column, str)]
        named += [rule.column for rule in self.leave_out if isinstance(rule.column, str)]
        if named and not self.header:
            raise ValueError("without a header line the columns have numbers only")
        return self


def read(path: Path) -> CsvMapping:
    """Return the mapping of the file, or raise PaquetError with the first thing that is wrong."""
    try:
        mapping = parse(path.read_text(encoding="utf-8"))
        strict.refuse_example(mapping.model_dump(include={"account"}), EXAMPLE)
    except (OSError, UnicodeDecodeError) as wrong:
        raise PaquetError(f"{path} cannot be read: {wrong}") from None
    except PaquetError as refused:
        raise PaquetError(f"{path}: {refused.message}", refused.hint) from None
    return mapping


def parse(text: str) -> CsvMapping:
    """Return the mapping of the TOML text, or raise PaquetError with what is wrong in it."""
    try:
        return CsvMapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as wrong:
        raise PaquetError(f"this is not TOML: {wrong}") from None
    except ValidationError as wrong:
        error = wrong.errors(include_url=False)[0]
        where = ", ".join(str(step) for step in error["loc"]) or "the mapping"
        why = error["msg"].removeprefix("Value error, ")
        raise PaquetError(f"{where}: {why}", f"See {EXAMPLE}.") from None
