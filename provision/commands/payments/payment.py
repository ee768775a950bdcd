"""`paquet payment`: collect, reconcile the bank, take cash, pay back, and write off."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision import money as exact
from provision.commands.payments import payment_accounts, payment_waiting
from provision.commands.payments.statement import movement_facts
from provision.commands.shared.context import (
    ask,
    dry_run_option,
    json_option,
    number_type,
    pass_context,
    show,
    yes_option,
)
from provision.commands.shared.words import day_type, worded
from provision.errors import UsageRefused
from provision.formats.sepa import pain008
from provision.money import euros
from provision.subscriptions.documents import numbering
from provision.subscriptions.parties import organisations, people, profiles
from provision.subscriptions.payments import (
    answers,
    batches,
    booking,
    collectable,
    collected,
    collecting,
    handing_over,
    losses,
    mailing,
    movements,
    owed,
    paying,
    returns,
    waiting,
)
from provision.subscriptions.payments.collecting import HandedOver
from provision.subscriptions.payments.mailing import Outbox
from provision.subscriptions.payments.paying import Cash, Cheque
from provision.subscriptions.payments.returns import CameBack
from provision.subscriptions.settling import settlements, transfers
from provision.workflows import reconciling

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from provision.commands.shared.context import Context
    from provision.money import Cents
    from provision.subscriptions.payments.collectable import Proposal
    from provision.subscriptions.payments.owed import Owed
    from provision.workflows.reconciling import Outcome, Seen

folder_type = click.Path(file_okay=False, path_type=Path)
why_option = click.option("--why", required=True, help="The reason, for the record.")


@click.group()
def payment() -> None:
    """Collect what is owed, and book what the bank says."""


for waits in (payment_waiting.awaited, payment_waiting.remit, payment_waiting.take_back):
    payment.add_command(waits)
payment.add_command(payment_accounts.list_accounts)


@payment.command()
@click.argument("organisation")
@click.option("--on", type=day_type, required=True, help="The day on which accounts are debited.")
@click.option("--to", "folder", type=folder_type, required=True, help="Where files go.")
@click.option("--key", help="What makes this collection one; else its day.")
@click.option("--again", multiple=True, metavar="INVOICE", help="Collect what came back again.")
@click.option("--schema", type=click.Choice(pain008.SCHEMAS), default=pain008.NEW)
@yes_option
@dry_run_option
@json_option
@pass_context
def collect(context: Context, /, *, dry_run: bool, as_json: bool, **words: object) -> None:
    """Collect the open invoices of ORGANISATION that are due on a day, under usable mandates.

    A mandate is debited once, for all of them. The same key again writes the same files. Nothing is
    booked before the bank says so.
    """
    on: datetime = words["on"]  # type: ignore[assignment]
    again: tuple[str, ...] = words["again"]  # type: ignore[assignment]
    made_at = context.control().clock().astimezone()
    key, named = str(words["key"] or on.date()), frozenset(one.upper() for one in again)
    handed_over = HandedOver(key, on.date(), made_at, str(words["schema"]))
    with context.session() as session:
        owner = organisations.get(session, str(words["organisation"]))
        found = collecting.plan(session, owner, handed_over, named)
    if found is not None:
        if dry_run or not words["yes"] or not found.chosen:
            _show(context, _proposal_rows(found), as_json=as_json)
        if dry_run or not found.chosen:
            return
        if not words["yes"]:
            debits = len(collectable.together(found.chosen))
            ask(f"Collect {len(found.chosen)} of them, by {debits} debits?")
    language = context.settings.operator.language
    outbox = Outbox(Path(str(words["folder"])), language, owner.name)
    mailing.check(outbox)
    with context.session() as session:
        made = collecting.carry_out(session, owner, handed_over, named)
    with context.reading() as session:
        paths = handing_over.write(session, owner, made, outbox)
    show([{"collection": made.number, "file": str(path)} for path in paths], as_json=as_json)


@payment.command(name="list")
@click.argument("organisation")
@json_option
@pass_context
def list_all(context: Context, organisation: str, *, as_json: bool) -> None:
    """Show the collections of ORGANISATION, and the debits that wait for the bank's answer."""
    language = context.settings.operator.language
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        waiting = answers.running(session, owner.id)
        rows = [
            {
                "message": message_id,
                "collection": items[0].collection,
                "debits_waiting": len(answers.by_debit(items)),
                "amount_waiting": euros(sum(item.units for item in items)),
                "first": items[0].reference,
            }
            for message_id, items in waiting.items()
        ]
        made = [
            {"collection": one.number, "key": one.key, "on": one.collect_on.isoformat()}
            for one in collected.everyone(session, owner.id)
        ]
    waits = [worded(row, language, as_json=as_json) for row in rows]
    if as_json:
        show({"collections": made, "waiting": waits}, as_json=True)
    else:
        show(made, as_json=False)
        show(waits, as_json=False)


@payment.command()
@click.argument("organisation")
@click.option("--accept-certain", is_flag=True, help="Book what is certain, and only that.")
@json_option
@pass_context
def reconcile(context: Context, organisation: str, *, accept_certain: bool, as_json: bool) -> None:
    """Show the movements of ORGANISATION's bank that are not explained, and what each may be.

    Nothing is booked unless --accept-certain is given; the rest is for `payment match`.
    """
    control, language = context.control(), context.settings.operator.language
    with context.session() if accept_certain else context.reading() as session:
        owner = organisations.get(session, organisation)
        if accept_certain:
            found = reconciling.accept_certain(session, owner, control.today(), control.told())
            rows = [_outcome_row(one) for one in found]
        else:
            rows = [_seen_row(one) for one in reconciling.propose(session, owner)]
    show([worded(row, language, as_json=as_json) for row in rows], as_json=as_json)


@payment.command()
@click.argument("organisation")
@click.argument("movement", type=number_type)
@click.argument("references", nargs=-1, required=True)
@click.option("--without", multiple=True, metavar="DEBIT", help="A debit that the bank refused.")
@json_option
@pass_context
def match(context: Context, /, *, as_json: bool, **words: object) -> None:
    """Say that MOVEMENT pays the invoices REFERENCES, in this order.

    Or else the batch of that name, or the debit, or the settlement (1-2-3: seller, beneficiary,
    number). What is left over stays as the customer's credit. Cheques and receipts that wait for
    the bank (see awaited) are named all together: their sum is the movement.
    """
    references: tuple[str, ...] = words["references"]  # type: ignore[assignment]
    without: tuple[str, ...] = words["without"]  # type: ignore[assignment]
    today = context.control().today()
    with context.session() as session:
        owner = organisations.get(session, str(words["organisation"]))
        row = movements.get(session, owner.id, int(str(words["movement"])))
        if waiting.names(session, owner.id, references):
            shown = waiting.bank(session, row, references, today)
            facts = [{"banked": one.shown, "amount": euros(one.units)} for one in shown]
        elif len(references) == 1 and settlements.SHOWN.fullmatch(references[0]):
            transfers.book(session, row, references[0], today)
            facts = [{"settlement": references[0], "paid": euros(abs(row.units))}]
        elif len(references) == 1 and not numbering.SHOWN.fullmatch(references[0].upper()):
            paid = batches.credit_batch(session, row, references[0], today, without)
            facts = [{"batch": references[0], "debits_paid": paid}]
        else:
            documents = [owed.find(session, owner.id, one) for one in references]
            parts = paying.pay(session, row, documents, today)
            facts = [{"invoice": one.shown, "paid": euros(units)} for one, units in parts]
    _show(context, facts, as_json=as_json)


@payment.command(name="return")
@click.argument("organisation")
@click.argument("movement", type=number_type)
@click.argument("debits", nargs=-1, required=True)
@click.option("--reason", default="", help="The bank's code, such as MD06.")
@json_option
@pass_context
def take_back(context: Context, /, *, as_json: bool, **words: object) -> None:
    """Say that MOVEMENT took DEBITS back (F2026-1-1); what it took beyond is the bank's fee.

    Every invoice that a debit paid is open again.
    """
    control = context.control()
    names: tuple[str, ...] = words["debits"]  # type: ignore[assignment]
    with context.session() as session:
        owner = organisations.get(session, str(words["organisation"]))
        row = movements.get(session, owner.id, int(str(words["movement"])))
        paid = answers.by_debit(answers.paid(session, owner.id))
        debits = [
            CameBack(name, sum(item.units for item in paid.get(name, ())), str(words["reason"]))
            for name in names
        ]
        fee = returns.take_back(session, row, debits, (control.today(), control.told()))
    _show(context, [{"movement": row.id, "fee": euros(fee)}], as_json=as_json)


@payment.command()
@click.argument("organisation")
@click.argument("debit")
@why_option
@json_option
@pass_context
def refuse(context: Context, organisation: str, debit: str, why: str, *, as_json: bool) -> None:
    """Say that the bank will never pay DEBIT: its invoices can be collected again."""
    with context.session() as session:
        owner = organisations.get(session, organisation)
        answers.refuse(session, owner.id, debit, (context.control().today(), why))
    show({"debit": debit, "refused": why}, as_json=as_json)


@payment.command()
@click.argument("organisation")
@click.argument("movement", type=number_type)
@click.option("--fee", is_flag=True, help="It is a fee of the bank: nothing is to be explained.")
@why_option
@json_option
@pass_context
def park(context: Context, /, *, as_json: bool, **words: object) -> None:
    """Put MOVEMENT aside (account 471) until somebody can explain it, or book it as a --fee."""
    today, why = context.control().today(), str(words["why"])
    with context.session() as session:
        owner = organisations.get(session, str(words["organisation"]))
        row = movements.get(session, owner.id, int(str(words["movement"])))
        work = booking.fee if words["fee"] else booking.park
        entry = work(session, row, why, today)
    show({"movement": row.id, "entry": entry}, as_json=as_json)


@payment.command()
@click.argument("organisation")
@click.argument("invoice")
@click.argument("amount", required=False)
@click.option("--receipt", help="The number of the receipt that was given for cash.")
@click.option("--cheque", help="The number of the cheque; it waits until the bank shows it.")
@click.option("--on", type=day_type, help="The day of the receipt or the cheque; else today.")
@click.option("--from-credit", is_flag=True, help="Use what the customer paid too much.")
@json_option
@pass_context
def record(context: Context, /, *, as_json: bool, **words: object) -> None:
    """Write down that INVOICE was paid: AMOUNT with a --receipt or a --cheque, or --from-credit."""
    today = context.control().today()
    ways = [name for name in ("receipt", "cheque", "from_credit") if words[name]]
    if len(ways) != 1 or bool(words["amount"]) == bool(words["from_credit"]):
        raise UsageRefused(
            "How was it paid?", "Give AMOUNT with --receipt or with --cheque, or --from-credit."
        )
    with context.session() as session:
        owner = organisations.get(session, str(words["organisation"]))
        one = owed.find(session, owner.id, str(words["invoice"]))
        if words["from_credit"]:
            units = paying.use_credit(session, one, today)
        else:
            units = _taken(session, one, words, today)
    _show(context, [{"invoice": one.shown, "paid": euros(units)}], as_json=as_json)


def _taken(session: Session, one: Owed, words: Mapping[str, object], today: date) -> Cents:
    """Write down cash or a cheque, and return its cents."""
    on: datetime | None = words["on"]  # type: ignore[assignment]
    units, day = exact.parse(words["amount"]).units, on.date() if on else today
    if words["cheque"]:
        cheque = Cheque(units, day, str(words["cheque"]))
        return paying.take_cheque(session, one, cheque, today)
    return paying.take_cash(session, one, Cash(units, day, str(words["receipt"])), today)


@payment.command()
@click.argument("organisation")
@click.argument("movement", type=number_type)
@click.argument("note", required=False)
@click.option("--credit-of", metavar="EMAIL", help="Pay back what this customer paid too much.")
@json_option
@pass_context
def refund(context: Context, /, *, as_json: bool, **words: object) -> None:
    """Say that MOVEMENT paid the credit note NOTE back, or what was paid too much."""
    note, email, today = words["note"], words["credit_of"], context.control().today()
    if bool(note) == bool(email):
        raise UsageRefused("What was paid back?", "Name a credit note, or give --credit-of.")
    with context.session() as session:
        owner = organisations.get(session, str(words["organisation"]))
        row = movements.get(session, owner.id, int(str(words["movement"])))
        if email:
            party = people.reference(session, people.subscriber_named(session, str(email)).id)
            units = paying.refund_credit(session, row, party, today)
        else:
            one = owed.find(session, owner.id, str(note))
            units = paying.refund(session, row, one, today)
    _show(context, [{"movement": row.id, "paid_back": euros(units)}], as_json=as_json)


@payment.command(name="write-off")
@click.argument("organisation")
@click.argument("invoice")
@click.option("--duplicate-sent", is_flag=True, help="A duplicate says that it stays unpaid.")
@why_option
@yes_option
@dry_run_option
@json_option
@pass_context
def write_off(context: Context, /, *, dry_run: bool, as_json: bool, **words: object) -> None:
    """Give INVOICE up as a loss: what is open on it will never be paid.

    VAT comes back when it was never owed (it is owed on payment), or when a duplicate of the
    invoice was sent that says that it stays unpaid (CGI article 272-1).
    """
    today, sent = context.control().today(), bool(words["duplicate_sent"])
    if not dry_run and not words["yes"]:
        ask(f"Give up what is open on {words['invoice']}?")
    with context.session() as session:
        owner = organisations.get(session, str(words["organisation"]))
        one = owed.find(session, owner.id, str(words["invoice"]))
        loss = losses.loss_of(one, profiles.needed(session, owner, today), duplicate_sent=sent)
        losses.write_off(session, one, loss, (today, str(words["why"])))
        if dry_run:
            session.rollback()
    facts = {"invoice": one.shown, "lost": euros(loss.units), "vat_back": euros(loss.vat_back)}
    _show(context, [facts], as_json=as_json)


def _show(context: Context, rows: list[dict[str, object]], *, as_json: bool) -> None:
    language = context.settings.operator.language
    show([worded(row, language, as_json=as_json) for row in rows], as_json=as_json)


def _proposal_rows(found: Proposal) -> list[dict[str, object]]:
    chosen = [(one.owed, one.row.reference, "") for one in found.chosen]
    left_out = [(one.owed, "", one.why) for one in found.left_out]
    return [
        {
            "invoice": one.shown,
            "due": one.due_on.isoformat(),
            "amount": euros(one.units),
            "mandate": reference,
            "left_out": why,
        }
        for one, reference, why in [*chosen, *left_out]
    ]


def _seen_row(one: Seen) -> dict[str, object]:
    proposal = one.proposal
    return {
        **movement_facts(one.row),
        "parked": one.parked,
        "certainty": proposal.certainty if proposal else "",
        "may_be": " ".join(each.reference for each in proposal.expected) if proposal else "",
        "why": proposal.why if proposal else "Nothing that is expected resembles it",
    }


def _outcome_row(one: Outcome) -> dict[str, object]:
    return {**_seen_row(one.seen), "booked": not one.refused, "refused": one.refused}
