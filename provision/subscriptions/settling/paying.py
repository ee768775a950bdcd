"""How a settlement's document is paid: from bank to bank, or by the provider who paid both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from provision.money import euros
from provision.subscriptions.documents import allocating, deducting, drafts, open_items
from provision.subscriptions.documents.models import Invoice, InvoiceLine, same_document
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry, Line
from provision.subscriptions.offers import contracts
from provision.subscriptions.offers.models import SplitContract
from provision.subscriptions.parties.people import organisation_reference
from provision.subscriptions.payments.models import BankStatement
from provision.subscriptions.settling.self_billing import document_of
from provision.subscriptions.settling.steps import parts_of, shown

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.subscriptions.documents.models import Settlement
    from provision.subscriptions.ledger.journal import Moment

BY_PROVIDER = ", versé par le prestataire de paiement agréé"


def provider_paid(session: Session, settlement: Settlement) -> bool:
    """Return whether a licensed provider has paid all of it: every sale behind it is paid."""
    return _licensed(session, settlement) and not _unpaid_sales(session, settlement)


def pay_document(session: Session, settlement: Settlement, moment: Moment) -> None:
    """Enter the payment of the document in both books, and set it against the document.

    A credit note is paid by the beneficiary to the seller.
    """
    document = document_of(session, settlement)
    sign = -1 if document.kind in drafts.CREDITS else 1
    units = sign * open_items.left_on(session, document)
    seller = (chart.SUPPLIERS, units, organisation_reference(settlement.beneficiary_id))
    beneficiary = (chart.CUSTOMERS, -units, organisation_reference(settlement.seller_id))
    _post(session, settlement, settlement.seller_id, seller, moment)
    entry = _post(session, settlement, settlement.beneficiary_id, beneficiary, moment)
    kind = "payment" if sign > 0 else "refund"
    allocating.allocate(session, document, sign * units, kind, (entry, moment.on))


def _post(
    session: Session,
    settlement: Settlement,
    owner: int,
    line: tuple[str, int, str],
    moment: Moment,
) -> int:
    """Enter one side of the payment: what is on `line` against the bank; return its number."""
    account, units, party = line
    document = document_of(session, settlement)
    how = BY_PROVIDER if _licensed(session, settlement) else ""
    entry = Entry(
        organisation_id=owner,
        effective_on=moment.on,
        text=f"Règlement {shown(settlement)}{how}",
        key=f"settlement:{shown(settlement)}:paid",
        lines=(Line(account, euros(units), party), Line(_through(session, owner), euros(-units))),
        journal=journal.BANK,
        piece=allocating.number_of(document).shown,
    )
    return posting.post(session, entry, moment.today).number


def _through(session: Session, owner: int) -> str:
    """Return where the money goes in one's books: on its way (580) where a statement will show it.

    An organisation whose statements are not brought in has nothing but this entry.
    """
    known = select(BankStatement.id).where(BankStatement.organisation_id == owner).limit(1)
    return chart.BANK if session.scalar(known) is None else chart.TRANSFERS


def _licensed(session: Session, settlement: Settlement) -> bool:
    modes = {part.mode for part in parts_of(session, settlement)}
    return modes == {contracts.LICENSED}


def _unpaid_sales(session: Session, settlement: Settlement) -> bool:
    """Return whether something is open on a sale of the settlement's range.

    What a deposit paid, the provider paid to the seller alone: such a sale is not paid to both.
    """
    shared = (
        select(InvoiceLine.line)
        .join(SplitContract, SplitContract.id == InvoiceLine.contract_id)
        .where(
            same_document(InvoiceLine, Invoice),
            SplitContract.mode == contracts.LICENSED,
        )
        .exists()
    )
    sale = session.scalar(
        select(Invoice.number)
        .where(
            Invoice.organisation_id == settlement.seller_id,
            Invoice.entry_number > settlement.after_entry,
            Invoice.entry_number <= settlement.last_entry,
            or_(open_items.left() > 0, deducting.deducts()),
            shared,
        )
        .limit(1)
    )
    return sale is not None
