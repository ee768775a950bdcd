"""`paquet contract`: how a business and an association share what is sold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import count_type, day_type, file_type, json_option, typed
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
    """Say how a business and an association share what is sold."""


@dataclass(frozen=True)
class Typed:
    """A contract of two parties, as it is typed."""

    seller: str
    supporter: str
    seller_parts: int
    supporter_parts: int
    mode: str
    first_day: date | None


@contract.command(name="add")
@click.argument("seller")
@click.argument("supporter")
@click.option("--seller-parts", type=count_type, required=True, help="For example 70.")
@click.option("--supporter-parts", type=count_type, required=True, help="For example 30.")
@click.option("--mode", type=click.Choice(contracts.MODES), default="resale", show_default=True)
@click.option("--from", "first_day", type=day_type, help="Its first day; else today.")
@typed(Typed, "wanted")
@change_options
@pass_context
def add_contract(context: Context, wanted: Typed, how: How) -> None:
    """Write down how SELLER (a business) and SUPPORTER (an association) share from a day on.

    docs/money.md says what the four legal modes mean.
    """
    terms = (wanted.mode, wanted.first_day or context.today)

    def work(session: Session) -> Facts:
        seller = organisations.get(session, wanted.seller)
        supporter = organisations.get(session, wanted.supporter)
        parts = (wanted.seller_parts, wanted.supporter_parts)
        shares = contracts.two(seller, supporter, parts)
        return _facts(contracts.add(session, seller, supporter, shares, terms=terms))

    change(context, work, how)


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
        return [_facts(one) for one in contractfile.bring_in(session, written)]

    change(context, work, how, nothing="Nothing is new.")


@contract.command(name="list")
@json_option
@pass_context
def list_contracts(context: Context, *, as_json: bool) -> None:
    """Show all contracts, the latest first."""
    with context.reading() as session:
        rows = [_facts(one) for one in contracts.everyone(session)]
    context.show(rows, as_json=as_json)


def _facts(contract: SplitContract) -> Facts:
    shares = [
        f"{share.parts} {share.fund.name if share.fund else share.organisation.name}"
        + (f" ({share.role})" if share.role else "")
        for share in contract.shares
    ]
    return {
        "from": contract.valid_from.isoformat(),
        "seller": contract.seller.name,
        "supporter": contract.supporter.name,
        "mode": contract.mode,
        "shares": ", ".join(shares),
    }
