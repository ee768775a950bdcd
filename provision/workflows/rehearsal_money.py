"""The money of the rehearsal: three months of invoices, debits, a bank, a reminder, a settlement.

The days go by on the control machine's clock alone; the bank is the lab's, all else is real.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import shipped
from provision.errors import PaquetError
from provision.formats.sepa import target_days
from provision.lab import bank
from provision.money import show_euros
from provision.process.files import write_private
from provision.registry.models import Subscriber
from provision.subscriptions.books import exporting, papers, verify
from provision.subscriptions.documents import describing, open_items
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.dunning import policy
from provision.subscriptions.offers import plans, terms
from provision.subscriptions.parties import identities, organisations, people, profiles
from provision.subscriptions.parties.identities import Person
from provision.subscriptions.parties.profiles import Address, Profile
from provision.subscriptions.payments import (
    collecting,
    collection_rows,
    handing_over,
    mandate_papers,
    mandates,
    receiving,
)
from provision.subscriptions.payments.collecting import HandedOver
from provision.subscriptions.payments.mailing import Outbox
from provision.subscriptions.payments.mandates import WantedMandate
from provision.subscriptions.payments.receiving import Source
from provision.subscriptions.reports import page
from provision.subscriptions.reports.factsfile import FactsFile
from provision.subscriptions.reports.figures import figures
from provision.subscriptions.reports.gather_scope import Scope, month_over
from provision.subscriptions.reports.gathering import gather
from provision.subscriptions.selling import opening
from provision.subscriptions.selling.opening import Sale
from provision.subscriptions.settling import mandates as self_billing
from provision.subscriptions.settling import settlements
from provision.subscriptions.settling.mandates import MandateWording
from provision.workflows import bill, dunning, invoice_files, reconciling
from provision.workflows.dunning import Campaign

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.payments.models import Collection
    from provision.workflows.control import Control

MONTHS, NOTICE_DAYS, REMINDED_DAYS = 3, 15, 15
SIREN, ASSOCIATION_SIREN = "732829320", "552100554"
ACCOUNTS = ("FR7630006000011234567890189", "FR1420041010050500013M02606")
CREDITOR = "FR72ZZZ123456"
# Who else subscribes, with a mandate but for the one that pays by transfer, and the plan of each.
OTHERS = {
    "paul.durand@ailleurs.test": ("Paul Durand", "person", "solo"),
    "elise.petit@ailleurs.test": ("Élise Petit", "person", "solo"),
    "amicale@ailleurs.test": ("Amicale laïque", "non-profit", "association"),
}
BY_TRANSFER, COMES_BACK, REASON = "amicale@ailleurs.test", "elise.petit@ailleurs.test", "MD06"


@dataclass
class Story:
    """Where the money of the rehearsal is: its parties, its folder, its bank."""

    control: Control
    seller: str
    supporter: str
    folder: Path
    account: bank.Account = field(default_factory=lambda: bank.Account(ACCOUNTS[0]))
    opened_on: date | None = None
    told: list[dict[str, object]] = field(default_factory=list)

    def on(self, day: date) -> Control:
        """Return the control machine as it is at noon of `day`."""
        noon = datetime.combine(day, time(12), UTC)
        return replace(self.control, clock=lambda: noon)

    def tell(self, day: date, what: str) -> None:
        """Note what happened, for the report and for the person who watches."""
        self.told.append({"on": day.isoformat(), "what": what})
        self.control.tell(f"  {day}: {what}")


def rehearse(story: Story) -> None:
    """Let three months go by. Raises PaquetError when something in the ledger is not whole."""
    start = story.control.today()
    _open(story, start)
    for number in range(MONTHS):
        first = terms.term_of(start, terms.MONTHLY, start + timedelta(days=31 * number)).starts
        _month(story, first, number)
    last = start + timedelta(days=31 * MONTHS)
    for before in (REMINDED_DAYS, 0):
        _remind(story, last - timedelta(days=before))
    _write_all(story, start, last)
    with story.control.session() as session:
        discrepancies = verify.verify(session)
    if discrepancies:
        raise PaquetError(
            f"The ledger is not whole: {discrepancies[0].where}: {discrepancies[0].what}"
        )
    story.tell(last, "every invariant of the ledger holds")


def _open(story: Story, start: date) -> None:
    """Describe both organisations, let others subscribe, and have their mandates signed."""
    with story.control.session() as session:
        seller = organisations.get(session, story.seller)
        supporter = organisations.get(session, story.supporter)
        seller.siren, supporter.siren = SIREN, ASSOCIATION_SIREN
        first = start.replace(day=1)
        describing.describe(session, seller, _profile(seller.name, 0, start), first)
        describing.describe(session, supporter, _profile(supporter.name, 1, start), first)
        wording = MandateWording("Le bureau", start)
        self_billing.record(session, supporter, seller, wording, start)
        for email, (name, kind, plan) in OTHERS.items():
            _subscribe(session, Person(name=name, email=email, kind=kind, address=HOME), start)  # type: ignore[arg-type]
            subscriber = people.subscriber_named(session, email)
            sale = Sale(plans.get(session, plan), seller, supporter)
            opening.open_subscription(session, subscriber, sale, today=start)
        for subscriber in session.scalars(select(Subscriber).order_by(Subscriber.id)):
            if subscriber.email != BY_TRANSFER:
                _sign(story, session, (seller, subscriber), start)
    story.tell(start, f"{len(OTHERS)} more subscribe, three sign a mandate")


HOME = Address(lines=("3 rue des Jacobins",), postcode="14000", city="Caen")


def _profile(name: str, place: int, start: date) -> Profile:
    vat = ("liable", "association_accessory")[place]
    words = {
        "name": name,
        "legal": ("SCOP SARL à capital variable, RCS Caen", "Association loi de 1901")[place],
        "address": HOME,
        "email": "bonjour@ailleurs.test",
        "vat": vat,
        "vat_id": "FR44732829320" if vat == "liable" else "",
        "iban": ACCOUNTS[place],
        "creditor_identifier": CREDITOR,
        "payment_days": 15,
        "self_billing_since": start.isoformat() if place else "",
    }
    return Profile.model_validate(words, strict=False)


def _subscribe(session: Session, person: Person, today: date) -> None:
    subscriber = Subscriber(
        name=person.name,
        email=person.email,
        language="fr",
        created_at=datetime.combine(today, time(12), UTC),
    )
    session.add(subscriber)
    session.flush()
    identities.write(session, subscriber, person, today)


def _sign(
    story: Story, session: Session, between: tuple[Organisation, Subscriber], today: date
) -> None:
    seller, subscriber = between
    when = (today, story.on(today).told())
    row = mandates.add(session, seller, subscriber, WantedMandate(), when)
    form = mandate_papers.form(row, profiles.needed(session, seller, today))
    write_private(story.folder / "mandates", {f"{row.reference}.pdf": form})
    mandates.sign(session, row, today, ACCOUNTS[1], when)


def _month(story: Story, first: date, number: int) -> None:
    """Bill on the first day of a term, collect, read the bank's answer, settle."""
    outcome = bill.bill(story.on(first), first)
    story.tell(first, f"{outcome.documents} invoices, {show_euros(outcome.gross)} in all")
    collect_on = target_days.next_collection_day(first + timedelta(days=NOTICE_DAYS))
    with story.on(first).session() as session:
        owner = organisations.get(session, story.seller)
        made_at = datetime.combine(first, time(12))
        collection = collecting.carry_out(
            session, owner, HandedOver(f"month {number + 1}", collect_on, made_at)
        )
        outbox = Outbox(
            story.folder / f"debits-{number + 1}", story.control.settings.operator.language
        )
        files = handing_over.write(session, owner, collection, outbox)
        returned = _returned(session, collection, number)
        transfers = _transfers(session, owner, collect_on)
    story.tell(first, f"debits of {collect_on} handed to the bank: {len(files)} file")
    _bank(story, files, (collect_on, transfers, returned))
    with story.on(collect_on).session() as session:
        owner = organisations.get(session, story.seller)
        other = organisations.get(session, story.supporter)
        made_on = collect_on + timedelta(days=7)
        settled = settlements.make(session, owner, other, first, made_on)
        if settled is not None:
            settlements.pay(session, settled, made_on, made_on)
            story.tell(made_on, f"{show_euros(settled.units)} settled with {other.name}")


def _returned(session: Session, collection: Collection, number: int) -> dict[str, str]:
    """Return which debit comes back: one of the second month."""
    return {
        item.reference: REASON
        for item, mandate in collection_rows.items_of(session, collection)
        if number == 1 and mandate.subscriber.email == COMES_BACK
    }


def _transfers(session: Session, owner: Organisation, on: date) -> list[bank.StatementEntry]:
    """Return what the one who pays by transfer sends: its open invoices, one by one."""
    name = OTHERS[BY_TRANSFER][0]
    return [
        bank.StatementEntry(on, document.open.units, name=name, text=f"FACTURE {document.shown}")
        for document in open_items.documents(session, owner.id)
        if document.name == name and document.open.units
    ]


def _bank(
    story: Story, files: list[Path], what: tuple[date, list[bank.StatementEntry], Mapping[str, str]]
) -> None:
    """Let the bank collect and answer, and book what is certain of its statement."""
    on, entries, returned = what
    late = on + timedelta(days=5)
    for file in files:
        entries = [*entries, *bank.collected(file.read_bytes(), on, returned, late)]
    first = story.opened_on or on
    answered = bank.statement(story.account, entries, (first, late), f"REL-{late:%Y%m%d}")
    story.account, story.opened_on = answered.account, late + timedelta(days=1)
    name = f"releve-{late}.xml"
    write_private(story.folder / "statements", {name: answered.content})
    with story.on(late).session() as session:
        owner = organisations.get(session, story.seller)
        receiving.bring_in(session, owner, Source(answered.content, name), late)
        told = story.on(late).told("statement of the bank")
        booked = reconciling.accept_certain(session, owner, late, told)
        left = reconciling.propose(session, owner)
    refused = [movement.refused for movement in booked if movement.refused]
    if refused or left:
        raise PaquetError(f"{len(left)} movements of {name} are not explained: {refused}")
    story.tell(late, f"{len(booked)} movements of the bank booked, {len(returned)} came back")


def _remind(story: Story, on: date) -> None:
    rules = policy.read(shipped.share("templates") / "money" / "dunning.example.toml")
    campaign = Campaign(story.seller, rules, on, story.folder / "reminders")
    done = dunning.run(story.on(on), campaign)
    for step in done:
        if step.refused:
            raise PaquetError(f"The reminder of {step.what} failed: {step.refused}")
        story.tell(on, f"{step.what} is not paid: {step.step}")


def _write_all(story: Story, start: date, last: date) -> None:
    """Write what goes to subscribers, to the accountant, to the tax office, to the assembly."""
    with story.on(last).session() as session:
        for name in (story.seller, story.supporter):
            owner = organisations.get(session, name)
            wanted = select(Invoice).where(Invoice.organisation_id == owner.id)
            folder = story.folder / "documents" / str(owner.id)
            written = invoice_files.write(papers.every(session, wanted), folder, xml=True)
            if written.refused:
                raise PaquetError(f"Some documents cannot be written: {written.refused[:3]}")
            for year in range(start.year, last.year + 1):
                period = exporting.Period(date(year, 1, 1), date(year, 12, 31))
                for kind in exporting.FORMATS:
                    files = exporting.export(session, owner, period, kind, "fr")
                    write_private(story.folder / "books" / str(owner.id) / str(year), files)
        scope = Scope(until=month_over(last))
        told = FactsFile(title=story.control.settings.operator.name)
        html = page.page(figures(gather(session, scope, told), told.hourly))
    write_private(story.folder, {"report.html": html.encode()})
    story.tell(last, "documents, books and the report page written")
