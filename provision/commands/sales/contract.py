"""`paquet contract`: who sells from which day on, alone or sharing with another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import count_type, day_type, file_type, json_option, typed
from provision.errors import UsageRefused
from provision.subscriptions.offers import contractfile, contracts
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.offers.models import SplitContract


@click.group()
def contract() -> None:
    """Say who sells, alone or sharing with another."""


@dataclass(frozen=True)
class NewContract:
    """A contract of two parties, or of one that sells alone, as it is typed."""

    seller: str
    supporter: str | None
    seller_parts: int | None
    supporter_parts: int | None
    mode: str | None
    first_day: date | None


@contract.command(name="add")
@click.argument("seller")
@click.argument("supporter", required=False)
@click.option("--seller-parts", type=count_type, help="For example 70.")
@click.option("--supporter-parts", type=count_type, help="For example 30.")
@click.option("--mode", type=click.Choice(contracts.MODES), help=f"Else {contracts.RESALE}.")
@click.option("--from", "first_day", type=day_type, help="Its first day; else today.")
@typed(NewContract, "wanted")
@change_options
@pass_context
def add_contract(context: Context, wanted: NewContract, how: How) -> None:
    """Write down how SELLER (a business) and SUPPORTER (an association) share from a day on.

    SELLER without a SUPPORTER, a business or an association, sells alone: all is its own.
    docs/money.md says what the four legal modes mean.
    """
    day = wanted.first_day or context.today

    def work(session: Session) -> Facts:
        seller = organisations.get(session, wanted.seller)
        if wanted.supporter is None:
            _refuse_shares(wanted)
            return _facts(contracts.alone(session, seller, day))
        supporter = organisations.get(session, wanted.supporter)
        shares = contracts.two(seller, supporter, _parts(wanted))
        terms = (wanted.mode or contracts.RESALE, day)
        return _facts(contracts.add(session, seller, supporter, shares, terms=terms))

    change(context, work, how)


def _parts(wanted: NewContract) -> tuple[int, int]:
    """Return the whole parts of both, or raise UsageRefused."""
    if wanted.seller_parts is None or wanted.supporter_parts is None:
        raise UsageRefused("How do they share?", "Give --seller-parts and --supporter-parts.")
    return wanted.seller_parts, wanted.supporter_parts


def _refuse_shares(wanted: NewContract) -> None:
    """Raise UsageRefused where one sells alone, and something is said of how two share."""
    if (wanted.seller_parts, wanted.supporter_parts, wanted.mode) != (None, None, None):
        raise UsageRefused(
            f"{wanted.seller} would sell alone, and alone nothing is shared",
            "Name the association that supports, or leave parts and mode out.",
        )


@contract.command(name="import")
@click.argument("file", type=file_type)
@change_options
@pass_context
def import_contracts(context: Context, file: Path, how: How) -> None:
    """Bring in the contracts of FILE (see templates/contract.example.toml); only new ones.

    A contract that is there is never rewritten: a new one has a later first day.
    """
    written = contractfile.read(file)

    def work(session: Session) -> list[Facts]:
        return [_facts(contract) for contract in contractfile.bring_in(session, written)]

    change(context, work, how, nothing="Nothing is new.")


@contract.command(name="list")
@json_option
@pass_context
def list_contracts(context: Context, *, as_json: bool) -> None:
    """Show all contracts, the latest first."""
    with context.reading() as session:
        rows = [_facts(contract) for contract in contracts.everyone(session)]
    context.show(rows, as_json=as_json)


def _facts(contract: SplitContract) -> Facts:
    alone = contract.mode == contracts.ALONE
    shares = [
        f"{share.parts} {share.fund.name if share.fund else share.organisation.name}"
        + (f" ({share.role})" if share.role else "")
        for share in contract.shares
        if not alone
    ]
    return {
        "from": contract.valid_from.isoformat(),
        "seller": contract.seller.name,
        "supporter": "" if alone else contract.supporter.name,
        "mode": contract.mode,
        "shares": ", ".join(shares),
    }
