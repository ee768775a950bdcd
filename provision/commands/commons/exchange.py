"""`paquet exchange`: invoices that are paid by other means than euros."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.moments import moment_of
from provision.commands.shared.narrowing import narrow_options
from provision.commands.shared.words import (
    count_type,
    json_option,
    number_type,
    on_option,
    typed,
    who_type,
)
from provision.money import HOUR, euros
from provision.subscriptions.books import papers
from provision.subscriptions.commons import barter, hours, local_currencies
from provision.subscriptions.commons.barter import BarterOffer
from provision.subscriptions.documents import allocating, open_items
from provision.subscriptions.parties import organisations, people
from provision.subscriptions.parties.models import Organisation

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.narrowing import Narrow
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.commons.models import BarterAgreement, LocalCurrency
    from provision.subscriptions.documents.models import Invoice


@click.group()
def exchange() -> None:
    """Take local currencies, hours, or goods of an agreed value, for an invoice."""


@dataclass(frozen=True)
class NewCurrency:
    """A local currency, and who issues it."""

    code: str
    name: str
    issuer: str


@exchange.command(name="add-currency")
@click.argument("code")
@click.argument("name")
@click.option("--issuer", required=True, help="The organisation that issues it.")
@typed(NewCurrency, "wanted")
@change_options
@pass_context
def add_currency(context: Context, wanted: NewCurrency, how: How) -> None:
    """Accept the local currency CODE (such as MLCROLLON), one for one euro."""

    def work(session: Session) -> Facts:
        by = organisations.get(session, wanted.issuer)
        return _currency_facts(local_currencies.add(session, wanted.code, wanted.name, by))

    change(context, work, how)


@exchange.command()
@json_option
@pass_context
def currencies(context: Context, *, as_json: bool) -> None:
    """Show the local currencies that are accepted."""
    with context.reading() as session:
        rows = [_currency_facts(currency) for currency in local_currencies.everyone(session)]
    context.show(rows, as_json=as_json)


@dataclass(frozen=True)
class PaidLocally:
    """How much of a local currency paid for which invoice, and when."""

    issuer: str
    invoice: str
    amount: str
    code: str
    on: date | None


@exchange.command()
@click.argument("issuer")
@click.argument("invoice")
@click.argument("amount")
@click.argument("code")
@on_option
@typed(PaidLocally, "wanted")
@change_options
@pass_context
def local(context: Context, wanted: PaidLocally, how: How) -> None:
    """Write that AMOUNT pieces of the currency CODE paid for the INVOICE of ISSUER."""
    moment = moment_of(context, wanted.on)

    def work(session: Session) -> Facts:
        issuer = organisations.get(session, wanted.issuer)
        document = papers.find(session, issuer, wanted.invoice)
        currency = local_currencies.get(session, wanted.code)
        paid = money.parse(wanted.amount, money.find_commodity(currency.code))
        local_currencies.pay(session, document, currency, paid.units, moment)
        return {**_open(session, document), "paid": paid}

    change(context, work, how)


@dataclass(frozen=True)
class PaidInHours:
    """How much time paid for which invoice, and when."""

    issuer: str
    invoice: str
    time: str
    on: date | None


@exchange.command(name="hours")
@click.argument("issuer")
@click.argument("invoice")
@click.argument("time")
@on_option
@typed(PaidInHours, "wanted")
@change_options
@pass_context
def in_hours(context: Context, wanted: PaidInHours, how: How) -> None:
    """Write that TIME (such as 1:30) that its subscriber worked paid for the INVOICE of ISSUER.

    An hour is taken for what ISSUER said on that day: paquet hours value.
    """
    moment = moment_of(context, wanted.on)

    def work(session: Session) -> Facts:
        issuer = organisations.get(session, wanted.issuer)
        document = papers.find(session, issuer, wanted.invoice)
        time = money.parse(wanted.time, HOUR)
        units = hours.pay(session, document, time.units, moment)
        return {**_open(session, document), "time": time, "paid": euros(units)}

    change(context, work, how)


@dataclass(frozen=True)
class BarterAgreed:
    """What an organisation takes from a subscriber, at which value of one."""

    organisation: str
    who: str
    quantity: int
    description: str
    each: str
    on: date | None


@exchange.command()
@click.argument("organisation")
@click.argument("who", type=who_type)
@click.argument("quantity", type=count_type)
@click.argument("description")
@click.option("--each", required=True, help="The agreed value of one, in euros.")
@on_option
@typed(BarterAgreed, "wanted")
@change_options
@pass_context
def agree(context: Context, wanted: BarterAgreed, how: How) -> None:
    """Write that ORGANISATION takes QUANTITY pieces of DESCRIPTION from the subscriber WHO."""
    day = wanted.on or context.today

    def work(session: Session) -> Facts:
        owner = organisations.get(session, wanted.organisation)
        offer = BarterOffer(
            people.reference_named(session, wanted.who),
            wanted.description,
            wanted.quantity,
            money.parse(wanted.each).units,
        )
        return _agreement_facts(session, barter.agree(session, owner, offer, day))

    change(context, work, how)


@exchange.command()
@narrow_options
@json_option
@pass_context
def agreements(context: Context, narrow: Narrow, *, as_json: bool) -> None:
    """Show all agreements of barter and how many pieces have not come yet."""
    with context.reading() as session:
        ids = narrow.seen(session)
        rows = [
            _agreement_facts(session, agreement)
            for agreement in barter.everyone(session)
            if agreement.organisation_id in ids
        ]
    context.show(rows, as_json=as_json)


@dataclass(frozen=True)
class BarterDelivered:
    """How many pieces of an agreement came for which invoice, and when."""

    agreement: int
    invoice: str
    quantity: int
    on: date | None


@exchange.command()
@click.argument("agreement", type=number_type)
@click.argument("invoice")
@click.argument("quantity", type=count_type)
@on_option
@typed(BarterDelivered, "wanted")
@change_options
@pass_context
def deliver(context: Context, wanted: BarterDelivered, how: How) -> None:
    """Write that QUANTITY pieces of AGREEMENT came, and paid for INVOICE."""
    moment = moment_of(context, wanted.on)

    def work(session: Session) -> Facts:
        agreement = barter.get(session, wanted.agreement)
        issuer = session.get_one(Organisation, agreement.organisation_id)
        document = papers.find(session, issuer, wanted.invoice)
        units = barter.deliver(session, agreement, document, wanted.quantity, moment)
        return {**_open(session, document), "paid": euros(units)}

    change(context, work, how)


def _open(session: Session, document: Invoice) -> Facts:
    number = allocating.number_of(document).shown
    return {"invoice": number, "open": euros(open_items.left_on(session, document))}


def _currency_facts(currency: LocalCurrency) -> Facts:
    return {"code": currency.code, "name": currency.name, "issuer": currency.issuer.name}


def _agreement_facts(session: Session, agreement: BarterAgreement) -> Facts:
    return {
        "agreement": agreement.id,
        "on": agreement.agreed_on.isoformat(),
        "with": agreement.party,
        "what": agreement.description,
        "quantity": agreement.quantity,
        "left": barter.left(session, agreement),
        "each": euros(agreement.piece_units),
    }
