"""`paquet subscription contract`: how a business and an association share what is sold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.sales.plans import file_type
from provision.commands.shared.amounts import day_type
from provision.commands.shared.changing import day_of
from provision.commands.shared.context import (
    count_type,
    dry_run_option,
    json_option,
    pass_context,
    show,
)
from provision.subscriptions.offers import contractfile, contracts
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from provision.commands.shared.context import Context
    from provision.subscriptions.offers.models import SplitContract


@click.group(name="contract")
def contract_group() -> None:
    """Say how a business and an association share what is sold."""


@contract_group.command(name="add")
@click.argument("seller")
@click.argument("supporter")
@click.option("--seller-parts", type=count_type, required=True, help="For example 70.")
@click.option("--supporter-parts", type=count_type, required=True, help="For example 30.")
@click.option("--mode", type=click.Choice(contracts.MODES), default="resale", show_default=True)
@click.option("--from", "first_day", type=day_type, help="Its first day; else today.")
@dry_run_option
@json_option
@pass_context
def add_contract(context: Context, /, *, dry_run: bool, as_json: bool, **words: object) -> None:
    """Write down how SELLER (a business) and SUPPORTER (an association) share from a day on.

    docs/money.md says what the four legal modes mean.
    """
    parts: tuple[int, int] = (words["seller_parts"], words["supporter_parts"])  # type: ignore[assignment]
    first_day: datetime | None = words["first_day"]  # type: ignore[assignment]
    day = day_of(first_day, context.control().today())
    with context.session() as session:
        seller = organisations.get(session, str(words["seller"]))
        supporter = organisations.get(session, str(words["supporter"]))
        made = contracts.add(
            session,
            seller,
            supporter,
            contracts.two(seller, supporter, parts),
            terms=(str(words["mode"]), day),
        )
        facts = _contract_facts(made)
        if dry_run:
            session.rollback()
    show(facts, as_json=as_json)


@contract_group.command(name="import")
@click.argument("file", type=file_type)
@dry_run_option
@json_option
@pass_context
def import_contracts(context: Context, file: Path, *, dry_run: bool, as_json: bool) -> None:
    """Bring in the contracts of FILE (see templates/contract.example.toml); only new ones.

    A contract that is there is never rewritten: a new one has a later first day.
    """
    written = contractfile.read(file)
    with context.session() as session:
        rows = [_contract_facts(one) for one in contractfile.bring_in(session, written)]
        if dry_run:
            session.rollback()
    show(rows, as_json=as_json)
    if not as_json and not rows:
        click.echo("Nothing is new.")


@contract_group.command(name="list")
@json_option
@pass_context
def list_contracts(context: Context, *, as_json: bool) -> None:
    """Show all contracts, the latest first."""
    with context.reading() as session:
        rows = [_contract_facts(one) for one in contracts.everyone(session)]
    show(rows, as_json=as_json)


def _contract_facts(contract: SplitContract) -> dict[str, object]:
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
