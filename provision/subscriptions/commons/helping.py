"""A solidarity fund pays a subscriber's invoice, or a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.money import euros
from provision.subscriptions.commons import in_kind
from provision.subscriptions.commons.in_kind import InKind
from provision.subscriptions.documents import allocating
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry, Line
from provision.subscriptions.parties.people import organisation_reference
from provision.subscriptions.settling import funds
from provision.subscriptions.settling.models import FundMovement

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.models import Invoice
    from provision.subscriptions.ledger.journal import Moment
    from provision.subscriptions.offers.models import FundDecision
    from provision.subscriptions.parties.models import Organisation

FUND = "fund"  # a kind of `Allocation`


def help_subscriber(
    session: Session, decided: FundDecision, invoice: Invoice, units: Cents, moment: Moment
) -> None:
    """Let the fund of a decision pay `units` of the invoice of the one it was decided for.

    Where the custodian is not who issued the invoice, the one owes it to the other from now on
    (467 in both books) until `pass_on`.
    """
    fund = decided.fund
    _check(decided, invoice)
    funds.check_payable(session, decided, units, moment.on)
    allocating.check_open(session, invoice, units)
    name = allocating.number_of(invoice).shown
    if fund.custodian_id == invoice.organisation_id:
        given = Line(chart.CUSTOMERS, euros(-units), invoice.party)
    else:
        given = Line(
            chart.FUNDS_HELD, euros(-units), organisation_reference(invoice.organisation_id)
        )
    entry = Entry(
        organisation_id=fund.custodian_id,
        effective_on=moment.on,
        text=f"Aide du fonds {fund.id}, décision {decided.id}, facture {name}",
        key=funds.next_key(session, fund),
        lines=funds.spent(fund, given),
        piece=name,
    )
    spent = posting.post(session, entry, moment.today).number
    if fund.custodian_id == invoice.organisation_id:
        allocating.allocate(session, invoice, units, FUND, (spent, moment.on))
    else:
        held = Line(chart.FUNDS_HELD, euros(units), organisation_reference(fund.custodian_id))
        helped = InKind(FUND, fund.name, held, f"Aide du fonds {fund.id}", entry.key)
        in_kind.enter(session, invoice, helped, moment)
    moved = FundMovement(kind=funds.HELP, units=-units, decision_id=decided.id, moved_on=moment.on)
    funds.move(session, fund, moved, spent)


def owed_for_help(session: Session, custodian: Organisation, issuer: Organisation) -> Cents:
    """Return what `custodian` owes `issuer` for help that its funds gave, in cents."""
    party = organisation_reference(issuer.id)
    return -posting.party_units(session, custodian.id, chart.FUNDS_HELD, party)


def pass_on(
    session: Session, custodian: Organisation, issuer: Organisation, moment: Moment
) -> Cents:
    """Write that the custodian paid the issuer all that it owes for help; return it, in cents."""
    units = owed_for_help(session, custodian, issuer)
    if units <= 0:
        raise UsageRefused(
            f"{custodian.name} owes {issuer.name} nothing for help from funds",
            "See: paquet fund list",
        )
    sides = ((custodian, issuer, units), (issuer, custodian, -units))
    for owner, other, amount in sides:
        party = organisation_reference(other.id)
        entry = Entry(
            organisation_id=owner.id,
            effective_on=moment.on,
            text="Aides des fonds, versées",
            key=f"help:{party}:{posting.end_of(session, owner.id)[0]}",
            lines=(Line(chart.FUNDS_HELD, euros(amount), party), Line(chart.BANK, euros(-amount))),
            journal=journal.BANK,
        )
        posting.post(session, entry, moment.today)
    return units


def _check(decided: FundDecision, invoice: Invoice) -> None:
    allocating.check_of_person(invoice)
    if decided.fund.kind != funds.SOLIDARITY:
        raise UsageRefused(
            f"{decided.fund.name} is a {decided.fund.kind} fund",
            "Only a solidarity fund pays invoices of subscribers.",
        )
    if decided.beneficiary != invoice.party:
        raise UsageRefused(
            f"Decision {decided.id} is for somebody else than the one of this invoice",
            "Help goes to whom it was decided for: paquet fund show NAME",
        )
