"""Give drafts their numbers and write them with their ledger entries: all of it, or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from provision.database import insert_many
from provision.money import EUR, Amount
from provision.subscriptions.documents import drafts, numbering, rounding
from provision.subscriptions.documents.models import Invoice, InvoiceLine, LineShare
from provision.subscriptions.documents.union_consumers import Tally
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry, Line
from provision.subscriptions.offers import treatments

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.database import Row
    from provision.subscriptions.documents.drafts import Draft, DraftLine
    from provision.subscriptions.documents.numbering import Series
    from provision.subscriptions.offers.catalogue import Catalogue
    from provision.subscriptions.parties.profiles import Profile


@dataclass(frozen=True)
class Number:
    """What a document is found by: who issued it, its series, and its number in there."""

    organisation_id: int
    series: str
    number: int

    @property
    def shown(self) -> str:
        """The number as the document shows it."""
        return numbering.shown(self.series, self.number)

    @property
    def columns(self) -> Row:
        """The number as columns of a row."""
        return {
            "organisation_id": self.organisation_id,
            "series": self.series,
            "number": self.number,
        }


SEALED = (
    *("key", "kind", "party", "identity_id", "subscription_id", "reason"),
    *("net", "vat", "gross", "issued_on", "due_on"),
)


ENTERED = {
    treatments.UNION_BUSINESS: "autoliquidation UE",
    treatments.OUTSIDE_BUSINESS: "hors UE, art. 259",
    treatments.OUTSIDE_CONSUMER: "hors UE, art. 259 B",
    treatments.OVERSEAS_WITHOUT: "outre-mer, art. 294",
}


@dataclass
class _IssuedRows:
    """What is written together."""

    shares: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    invoices: list[Row] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


def issue(
    session: Session, wanted: Sequence[Draft], catalogue: Catalogue, on: date
) -> list[Number]:
    """Write the drafts as documents of the day `on`, in this order, and return their numbers.

    Raises UsageRefused for a day before the last document of a series, or of an organisation
    that nobody described yet, and TreatmentRefused beyond what may be sold to consumers in other
    member states. A draft whose key was used is refused by the database.
    """
    every, rows, numbers = _EverySeries(session), _IssuedRows(), []
    tally = Tally(session)
    for draft in map(rounding.exact, wanted):
        tally.add(draft, on)
        profile = catalogue.profile(draft.issuer_id, on)
        name = numbering.name_of(numbering.prefix(profile, draft.kind), on)
        number = Number(draft.issuer_id, name, every.of(draft.issuer_id, name).take(on))
        _add(rows, draft, number, (on, profile))
        numbers.append(number)
    entry_numbers = posting.post_new(session, rows.entries, on)
    for row, entry_number in zip(rows.invoices, entry_numbers, strict=True):
        row["entry_number"] = entry_number
    insert_many(session, LineShare, rows.shares)
    insert_many(session, InvoiceLine, rows.lines)
    insert_many(session, Invoice, rows.invoices)
    return numbers


def digest(invoice: Row, lines: Sequence[Row], shares: Sequence[Row]) -> str:
    """Return the SHA-256 of what a document says of money, and of who gets what of each line.

    Persons are in it as references.
    """
    content = journal.document(invoice, SEALED)
    content["credits"] = f"{invoice['credited_series']}/{invoice['credited_number']}"
    content["lines"] = [_sealed(line) for line in lines]
    content["shares"] = [list(map(str, share.values())) for share in shares]
    return journal.sha256(content)


def _sealed(line: Row) -> list[str]:
    """Return what is hashed of a line: as before there were buyers abroad, where it names none."""
    return [str(said) for name, said in line.items() if said or name != "vat_abroad"]


def _entry(draft: Draft, number: Number, on: date, sealed: str) -> Entry:
    """Return the ledger entry of a document: the customer owes it, services and VAT are sold.

    A credit note is the same the other way round; a cent of rounding is other income or other cost.
    Nothing is sold yet by a deposit: it is owed to
    the customer (4191) until an invoice deducts it.
    """
    sign = -1 if draft.kind in drafts.CREDITS else 1
    net, vat, shown = sign * draft.net, sign * draft.vat, number.shown
    account, party = _sold(draft)
    rounded = 0 if draft.kind == drafts.DEPOSIT else sign * rounding.of(draft)
    lines = [
        Line(chart.CUSTOMERS, Amount(EUR, net + vat), draft.buyer.party),
        Line(account, Amount(EUR, rounded - net), party),
        Line(chart.VAT_COLLECTED, Amount(EUR, -vat)),
        Line(chart.OTHER_INCOME if rounded > 0 else chart.TO_FUNDS, Amount(EUR, -rounded)),
    ]
    return Entry(
        organisation_id=draft.issuer_id,
        effective_on=on,
        text=f"{'Avoir' if sign < 0 else 'Facture'} {shown}{_taxed_abroad(draft)}",
        key=f"document:{shown}",
        lines=tuple(line for line in lines if line.amount.units),
        journal=journal.SALES,
        piece=shown,
        evidence=sealed,
    )


def _taxed_abroad(draft: Draft) -> str:
    """Return what the entry says of VAT that is not French: readers of the FEC look for it."""
    case = next((line.treatment.abroad for line in draft.lines if line.treatment.abroad), "")
    return f", {ENTERED[case]}" if case in ENTERED else ""


def _sold(draft: Draft) -> tuple[str, str]:
    """Return the account of what is sold, and its party: a revenue belongs to nobody."""
    if draft.is_advance:
        return chart.CUSTOMER_DEPOSITS, draft.buyer.party
    return chart.SERVICES_SOLD, ""


@dataclass
class _EverySeries:
    session: Session
    known: dict[tuple[int, str], Series] = field(default_factory=dict)

    def of(self, organisation_id: int, name: str) -> Series:
        """Return the series, read when it is first needed."""
        key = (organisation_id, name)
        if key not in self.known:
            self.known[key] = numbering.series(self.session, organisation_id, name)
        return self.known[key]


def _add(rows: _IssuedRows, draft: Draft, number: Number, when: tuple[date, Profile]) -> None:
    on, profile = when
    columns = number.columns
    lines = [_line_row(columns, place, line) for place, line in enumerate(draft.lines, start=1)]
    shares = [
        row
        for place, line in enumerate(draft.lines, start=1)
        for row in _share_rows(columns, place, line)
    ]
    credited = draft.credits or (None, None)
    invoice: Row = {
        **columns,
        "key": draft.key,
        "kind": draft.kind,
        "issued_on": on,
        "due_on": on + timedelta(days=profile.payment_days),
        "party": draft.buyer.party,
        "identity_id": draft.buyer.identity_id,
        "subscription_id": draft.buyer.subscription_id,
        "net": draft.net,
        "vat": draft.vat,
        "gross": draft.net + draft.vat,
        "credited_series": credited[0],
        "credited_number": credited[1],
        "reason": draft.reason,
    }
    invoice["digest"] = digest(invoice, lines, shares)
    rows.shares += shares
    rows.lines += lines
    rows.invoices.append(invoice)
    rows.entries.append(_entry(draft, number, on, str(invoice["digest"])))


def _line_row(number: Row, place: int, line: DraftLine) -> Row:
    days = line.days
    return {
        **number,
        "line": place,
        "component": line.item.component,
        "role": line.item.role,
        "label": line.item.label,
        "quantity": line.item.quantity,
        "starts_on": days.starts if days else None,
        "ends_on": days.until - timedelta(days=1) if days else None,
        "net": line.net,
        "vat": line.vat,
        "vat_category": line.treatment.category,
        "vat_rate": line.treatment.rate,
        "contract_id": line.contract_id,
        "carried": line.carried,
        "vat_abroad": line.treatment.abroad,
    }


def _share_rows(number: Row, place: int, line: DraftLine) -> list[Row]:
    return [
        {
            **number,
            "line": place,
            "position": position,
            "beneficiary_id": rule.organisation_id,
            "fund_id": rule.fund_id,
            "units": units,
        }
        for position, (rule, units) in enumerate(line.shares)
    ]
