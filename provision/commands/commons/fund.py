"""`paquet fund`: money kept for a purpose; its custodian pays what its decider decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.moments import moment_of
from provision.commands.shared.narrowing import narrow_options
from provision.commands.shared.words import json_option, number_type, on_option, typed
from provision.money import euros
from provision.subscriptions.books import papers
from provision.subscriptions.commons import helping, shared_costs
from provision.subscriptions.documents import open_items
from provision.subscriptions.parties import organisations, people
from provision.subscriptions.settling import funds
from provision.subscriptions.settling.funds import FundWish

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.narrowing import Narrow
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.offers.models import Fund, FundDecision


@click.group()
def fund() -> None:
    """Keep money apart for commons, solidarity, reserve or coordination."""


@dataclass(frozen=True)
class NewFund:
    """A fund, who keeps it and who decides about it."""

    name: str
    kind: str
    custodian: str
    decider: str


@fund.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(funds.KINDS), required=True)
@click.option("--custodian", required=True, help="The organisation that keeps the money.")
@click.option("--decider", required=True, help='Who decides, for example "L\'assemblée".')
@typed(NewFund, "wanted")
@change_options
@pass_context
def add(context: Context, wanted: NewFund, how: How) -> None:
    """Write down the fund NAME: who keeps it and who, other than that, decides about it."""

    def work(session: Session) -> Facts:
        keeper = organisations.get(session, wanted.custodian)
        fund = funds.add(session, wanted.name, wanted.kind, keeper, wanted.decider)
        return _facts(session, fund)

    change(context, work, how)


@fund.command(name="list")
@narrow_options
@json_option
@pass_context
def list_all(context: Context, narrow: Narrow, *, as_json: bool) -> None:
    """Show all funds and what they hold."""
    with context.reading() as session:
        ids = narrow.seen(session)
        rows = [
            _facts(session, fund) for fund in funds.everyone(session) if fund.custodian_id in ids
        ]
    context.show(rows, as_json=as_json)


@fund.command(name="show")
@click.argument("name")
@json_option
@pass_context
def show_one(context: Context, name: str, *, as_json: bool) -> None:
    """Show what came into the fund NAME, what was decided, and what it paid."""
    with context.reading() as session:
        fund = funds.get(session, name)
        facts = {
            **_facts(session, fund),
            "decisions": [
                _decision_facts(session, decision) for decision in funds.decisions(session, fund)
            ],
            "movements": [
                {
                    "on": movement.moved_on.isoformat(),
                    "what": movement.kind,
                    "decision": movement.decision_id,
                    "amount": euros(movement.units),
                    "entry": movement.entry_number,
                }
                for movement in funds.movements(session, fund)
            ],
        }
    context.show(facts, as_json=as_json)


@dataclass(frozen=True)
class FundDecided:
    """What the decider of a fund decided, as it is typed."""

    name: str
    amount: str
    decided_by: str
    purpose: str
    beneficiary: str
    on: date | None


@fund.command()
@click.argument("name")
@click.argument("amount")
@click.option("--by", "decided_by", required=True, help="Who decided: a body, not a name.")
@click.option("--purpose", required=True)
@click.option("--for", "beneficiary", required=True, help="A subscriber, organisation or group.")
@on_option
@typed(FundDecided, "wanted")
@change_options
@pass_context
def decide(context: Context, wanted: FundDecided, how: How) -> None:
    """Write that the decider of the fund NAME lets it pay AMOUNT euros to somebody."""
    day = wanted.on or context.today

    def work(session: Session) -> Facts:
        wish = FundWish(
            wanted.decided_by,
            wanted.purpose,
            people.party(session, wanted.beneficiary),
            money.parse(wanted.amount).units,
        )
        decision = funds.decide(session, funds.get(session, wanted.name), wish, day)
        return _decision_facts(session, decision)

    change(context, work, how)


@dataclass(frozen=True)
class DecisionPaid:
    """How much of a decision was paid, and when."""

    decision: int
    amount: str
    on: date | None


@fund.command()
@click.argument("decision", type=number_type)
@click.argument("amount")
@on_option
@typed(DecisionPaid, "wanted")
@change_options
@pass_context
def pay(context: Context, wanted: DecisionPaid, how: How) -> None:
    """Write that the custodian paid AMOUNT euros of DECISION."""
    moment = moment_of(context, wanted.on)

    def work(session: Session) -> Facts:
        decided = funds.decision(session, wanted.decision)
        funds.pay(session, decided, money.parse(wanted.amount).units, moment)
        return _facts(session, decided.fund)

    change(context, work, how)


@dataclass(frozen=True)
class SubscriberHelped:
    """How much of whose invoice a fund pays, by which decision and when."""

    decision: int
    issuer: str
    invoice: str
    amount: str
    on: date | None


@fund.command(name="help-subscriber")
@click.argument("decision", type=number_type)
@click.argument("issuer")
@click.argument("invoice")
@click.argument("amount")
@on_option
@typed(SubscriberHelped, "wanted")
@change_options
@pass_context
def help_subscriber(context: Context, wanted: SubscriberHelped, how: How) -> None:
    """Let a solidarity fund pay AMOUNT euros of the INVOICE that ISSUER made, by DECISION."""
    moment = moment_of(context, wanted.on)

    def work(session: Session) -> Facts:
        issuer = organisations.get(session, wanted.issuer)
        document = papers.find(session, issuer, wanted.invoice)
        decided = funds.decision(session, wanted.decision)
        units = money.parse(wanted.amount).units
        helping.help_subscriber(session, decided, document, units, moment)
        left = euros(open_items.left_on(session, document))
        return {**_facts(session, decided.fund), "invoice": wanted.invoice, "open": left}

    change(context, work, how)


@dataclass(frozen=True)
class PassedOn:
    """Which custodian paid which issuer what its funds gave, and when."""

    custodian: str
    issuer: str
    on: date | None


@fund.command(name="pass-on")
@click.argument("custodian")
@click.argument("issuer")
@on_option
@typed(PassedOn, "wanted")
@change_options
@pass_context
def pass_on(context: Context, wanted: PassedOn, how: How) -> None:
    """Write that CUSTODIAN paid ISSUER all that its funds gave to ISSUER's subscribers."""
    moment = moment_of(context, wanted.on)

    def work(session: Session) -> Facts:
        keeper, other = (
            organisations.get(session, name) for name in (wanted.custodian, wanted.issuer)
        )
        paid = helping.pass_on(session, keeper, other, moment)
        return {"custodian": keeper.name, "issuer": other.name, "paid": euros(paid)}

    change(context, work, how)


@fund.command(name="share-cost")
@click.argument("amount")
@click.argument("carriers", nargs=-1, required=True, metavar="NAME[=WEIGHT]...")
@json_option
@pass_context
def share_cost(context: Context, amount: str, carriers: tuple[str, ...], *, as_json: bool) -> None:
    """Show what each carries of a common cost of AMOUNT euros: equally, or by whole weights."""
    weighed = [shared_costs.carrier(carrier) for carrier in carriers]
    carried = shared_costs.share(money.parse(amount).units, weighed)
    rows: list[Facts] = [
        {"name": share.name, "weight": share.weight, "carries": euros(share.units)}
        for share in carried
    ]
    context.show(rows, as_json=as_json)


def _facts(session: Session, fund: Fund) -> Facts:
    return {
        "fund": fund.name,
        "kind": fund.kind,
        "custodian": fund.custodian.name,
        "decider": fund.decider,
        "holds": euros(funds.balance(session, fund)),
    }


def _decision_facts(session: Session, decision: FundDecision) -> Facts:
    return {
        "decision": decision.id,
        "on": decision.decided_on.isoformat(),
        "by": decision.decided_by,
        "purpose": decision.purpose,
        "for": decision.beneficiary,
        "amount": euros(decision.units),
        "unpaid": euros(funds.open_of(session, decision)),
    }
