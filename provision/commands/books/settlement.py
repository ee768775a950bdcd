"""`paquet settlement`: what sellers owe for their sales, invoiced and paid month by month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.narrowing import narrow_options
from provision.commands.shared.words import (
    count_type,
    day_type,
    json_option,
    on_option,
    typed,
)
from provision.money import euros
from provision.subscriptions.parties import organisations
from provision.subscriptions.settling import funds, mandates, owing, settlements, steps
from provision.subscriptions.settling.mandates import MandateWording

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.narrowing import Narrow
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.documents.models import Settlement
    from provision.subscriptions.settling.models import SelfBillingMandate

to_option = click.option("--to", type=day_type, help="Sales up to this day; else today.")


@click.group()
def settlement() -> None:
    """Settle what sellers owe the associations, and their own funds, for what they sold."""


@settlement.command()
@to_option
@narrow_options
@json_option
@pass_context
def owed(context: Context, *, to: date | None, narrow: Narrow, as_json: bool) -> None:
    """Show what is owed and not settled yet, by role and fund."""
    up_to = to or context.today
    with context.reading() as session:
        kept = {fund.id: fund.name for fund in funds.everyone(session)}
        rows: list[Facts] = [
            {
                "seller": seller.name,
                "beneficiary": beneficiary.name,
                "mode": part.mode,
                "role": part.role,
                "fund": kept.get(part.fund_id or 0),
                "owed": euros(part.units),
            }
            for seller, beneficiary in owing.parties(session, narrow.seen(session))
            for part in owing.owed(session, seller, beneficiary, up_to).parts
        ]
    context.show(rows, as_json=as_json, nothing="Nothing is owed.")


@settlement.command()
@to_option
@narrow_options
@change_options
@pass_context
def make(context: Context, *, to: date | None, narrow: Narrow, how: How) -> None:
    """Write what is owed as settlements; under a mandate invoice it at once."""
    today = context.today
    up_to = to or today

    def work(session: Session) -> list[Facts]:
        pairs = list(owing.parties(session, narrow.seen(session)))
        outcomes = [settlements.make(session, *pair, up_to, today) for pair in pairs]
        return [_facts(session, settlement) for settlement in outcomes if settlement is not None]

    change(context, work, how, nothing="Nothing is owed.")


@settlement.command()
@click.argument("number")
@change_options
@pass_context
def invoice(context: Context, number: str, how: How) -> None:
    """Issue the beneficiary's invoice for the settlement NUMBER (such as 1-2-3)."""
    today = context.today

    def work(session: Session) -> Facts:
        settlement = settlements.find(session, number)
        settlements.invoice(session, settlement, today)
        return _facts(session, settlement)

    change(context, work, how)


@settlement.command()
@click.argument("number")
@on_option
@change_options
@pass_context
def pay(context: Context, *, number: str, on: date | None, how: How) -> None:
    """Write that the settlement NUMBER (such as 1-2-3) was paid from bank to bank."""
    today = context.today

    def work(session: Session) -> Facts:
        settlement = settlements.find(session, number)
        settlements.pay(session, settlement, on or today, today)
        return _facts(session, settlement)

    change(context, work, how)


@settlement.command(name="list")
@narrow_options
@json_option
@pass_context
def list_all(context: Context, narrow: Narrow, *, as_json: bool) -> None:
    """Show all settlements, the latest first."""
    with context.reading() as session:
        ids = narrow.seen(session)
        rows = [
            _facts(session, settlement)
            for settlement in settlements.everyone(session)
            if ids & {settlement.seller_id, settlement.beneficiary_id}
        ]
    context.show(rows, as_json=as_json)


@settlement.group(name="mandate")
def mandate_group() -> None:
    """Say who may make whose invoices (self-billing), by a mandate in writing."""


@dataclass(frozen=True)
class InWriting:
    """A mandate to make another's invoices, or its end, as somebody gave it."""

    beneficiary: str
    seller: str
    given_by: str
    first_day: date
    contest_days: int = MandateWording.contest_days


@mandate_group.command(name="give")
@click.argument("beneficiary")
@click.argument("seller")
@click.option("--by", "given_by", required=True, help="The office that gives it, not a name.")
@click.option("--from", "first_day", type=day_type, required=True, help="Its first day.")
@click.option(
    "--contest-days", type=count_type, default=MandateWording.contest_days, show_default=True
)
@typed(InWriting, "written")
@change_options
@pass_context
def give_mandate(context: Context, written: InWriting, how: How) -> None:
    """Write that BENEFICIARY lets SELLER make its invoices from a day on."""
    change(context, _recorder(written, mandates.GIVEN, context.today), how)


@mandate_group.command(name="revoke")
@click.argument("beneficiary")
@click.argument("seller")
@click.option("--by", "given_by", required=True, help="The office that revokes it, not a name.")
@click.option("--from", "first_day", type=day_type, required=True, help="The first day without.")
@typed(InWriting, "written")
@change_options
@pass_context
def revoke_mandate(context: Context, written: InWriting, how: How) -> None:
    """Write that SELLER makes no more invoices of BENEFICIARY from a day on."""
    change(context, _recorder(written, mandates.REVOKED, context.today), how)


@mandate_group.command(name="list")
@narrow_options
@json_option
@pass_context
def list_mandates(context: Context, narrow: Narrow, *, as_json: bool) -> None:
    """Show all mandates, the latest first."""
    with context.reading() as session:
        ids, names = narrow.seen(session), _names(session)
        rows = [
            _mandate_facts(mandate, names)
            for mandate in mandates.everyone(session)
            if ids & {mandate.seller_id, mandate.beneficiary_id}
        ]
    context.show(rows, as_json=as_json)


def _recorder(written: InWriting, state: str, today: date) -> Callable[[Session], Facts]:
    wording = MandateWording(
        given_by=written.given_by,
        valid_from=written.first_day,
        contest_days=written.contest_days,
        state=state,
    )

    def work(session: Session) -> Facts:
        beneficiary = organisations.get(session, written.beneficiary)
        seller = organisations.get(session, written.seller)
        mandate = mandates.record(session, beneficiary, seller, wording, today)
        return _mandate_facts(mandate, _names(session))

    return work


def _names(session: Session) -> dict[int, str]:
    return {organisation.id: organisation.name for organisation in organisations.everyone(session)}


def _facts(session: Session, settlement: Settlement) -> Facts:
    names = _names(session)
    reached = steps.steps(session, settlement)
    return {
        "settlement": steps.shown(settlement),
        "seller": names[settlement.seller_id],
        "beneficiary": names[settlement.beneficiary_id],
        "entries": f"{settlement.after_entry + 1}-{settlement.last_entry}",
        "made_on": settlement.made_on.isoformat(),
        "owed": euros(settlement.units),
        "state": steps.state(session, settlement),
        "document": reached[steps.INVOICED].reference if steps.INVOICED in reached else None,
    }


def _mandate_facts(mandate: SelfBillingMandate, names: dict[int, str]) -> Facts:
    return {
        "from": mandate.valid_from.isoformat(),
        "beneficiary": names[mandate.beneficiary_id],
        "seller": names[mandate.seller_id],
        "state": mandate.state,
        "by": mandate.given_by,
        "contest_days": mandate.contest_days,
    }
