"""How to read one provider's CSV: a table beside this file, or one of a person's own.

Another provider is another table and no code: `templates/payouts.example.toml` explains each word.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from provision import strict
from provision.formats.bank.sheets import Column, Sheet  # noqa: TC001 (pydantic reads it)

if TYPE_CHECKING:
    from typing import Self

EXAMPLE = "templates/payouts.example.toml"
HERE = Path(__file__).parent
Values = Annotated[tuple[str, ...], Field(max_length=20, strict=False)]


class PayoutColumns(strict.Table):
    """Which column holds what: its name in the header line, or its number from 1.

    `payout` names the payout; without it those of one day (`paid_out`) are one, and it is named by
    that day. A line without a day is not paid out yet. Of gross, fee and net, what is missing is
    computed; without fee and net there is no fee. Columns of `payer` and `what` may be absent.
    """

    paid_out: Column
    reference: Column
    what: tuple[Column, ...] = Field(min_length=1, max_length=10, strict=False)
    payout: Column | None = None
    day: Column | None = None
    gross: Column | None = None
    fee: Column | None = None
    net: Column | None = None
    payer: tuple[Column, ...] = Field(default=(), max_length=5, strict=False)
    currency: Column | None = None
    kind: Column | None = None

    @model_validator(mode="after")
    def check_amounts(self) -> Self:
        """Want an amount that says what a customer paid, or what is left of it."""
        if self.gross is None and (self.net is None or self.fee is None):
            raise ValueError("give gross, or fee and net")
        return self


class Kinds(strict.Table):
    """What the values of the column `kind` mean; any other one is refused.

    `payments` have the sign of the file, `taken` are below zero however they are written, `fees`
    are a fee alone, and `totals` say what the payout is in all.
    """

    payments: Values = ()
    taken: Values = ()
    fees: Values = ()
    totals: Values = ()


class ProviderMapping(Sheet):
    """How one provider writes its CSV; `source` is what that is known by.

    With `own_numbers` each line has a number of its own, what is taken back and fees too.
    """

    provider: str = Field(pattern=r"^[a-z][a-z0-9]{1,19}$")
    source: str = Field(min_length=1)
    own_numbers: bool = False
    columns: PayoutColumns
    kinds: Kinds = Kinds()

    @model_validator(mode="after")
    def check_kinds(self) -> Self:
        """Want a column and its meanings together, and each meaning once."""
        told = [value.casefold() for _, values in self.kinds for value in values]
        if (self.columns.kind is None) != (not told):
            raise ValueError("give the column kind and [kinds] together")
        if len(set(told)) != len(told):
            raise ValueError("a value of [kinds] has two meanings")
        return self


def shipped() -> tuple[str, ...]:
    """Return the providers whose tables lie here."""
    return tuple(sorted(path.stem for path in HERE.glob("*.toml")))


@cache
def of(provider: str) -> ProviderMapping:
    """Return the table of a provider that is shipped."""
    return strict.read(HERE / f"{provider}.toml", ProviderMapping, EXAMPLE)


def read(path: Path) -> ProviderMapping:
    """Return the table of a file, or raise PaquetError with the first thing that is wrong."""
    return strict.read(path, ProviderMapping, EXAMPLE)
