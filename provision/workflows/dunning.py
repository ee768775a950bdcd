"""Remind those who have not paid, suspend and close what stays unpaid, open again what was paid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.process.files import replace_file
from provision.shipped import share
from provision.subscriptions.documents import open_items
from provision.subscriptions.dunning import letters, policy, reminders
from provision.subscriptions.parties import identities, organisations, profiles
from provision.subscriptions.payments import mailing
from provision.subscriptions.payments.handing_over import private_folder
from provision.subscriptions.payments.mailing import Addressee, Mailed, Outbox
from provision.subscriptions.selling.models import Subscription
from provision.workflows import offboard, posting_told, upkeep
from provision.workflows.capacity import LIVING
from provision.workflows.offboard import BundleClosing
from provision.workflows.reminding import due, paid_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.dunning.letters import ReminderLetter
    from provision.subscriptions.dunning.policy import Policy
    from provision.subscriptions.dunning.reminders import Reminder, Settled
    from provision.workflows.control import Control
    from provision.workflows.reminding import DayOfReminders

SUSPENDED, ACTIVE = "suspended", "active"


@dataclass(frozen=True)
class Campaign:
    """Whose invoices are reminded, by which rules, on which day, with letters into a folder."""

    organisation: str
    rules: Policy
    on: date
    folder: Path


@dataclass(frozen=True)
class Done:
    """What became of one thing: an invoice's step, or a bundle, and why not, or ''."""

    what: str
    step: str
    refused: str


def rules(file: Path | None) -> Policy:
    """Return the steps of a file, or those of the example."""
    return policy.read(file or share("templates") / "money/dunning.example.toml")


def run(control: Control, campaign: Campaign) -> list[Done]:
    """Write the letters of a day, suspend and open bundles, and record each step when it is done.

    A customer gets one letter, about all that they owe. What fails is told, and the others go on;
    killed in between, the same command goes on where it was: a letter has the same bytes, and a
    bundle that is suspended already stays so. What was settled meanwhile, by the step of another
    invoice too, is left in peace.
    """
    private_folder(campaign.folder)
    mailing.check(_outbox(control, campaign))
    day_of_reminders = due(control, campaign.organisation, campaign.rules, campaign.on)
    done = []
    for taken, before in _customers(day_of_reminders):
        done += _remind(control, campaign, taken, before)
    for settled, domain in day_of_reminders.reopened:
        work = partial(_open_again, control, campaign, settled, domain)
        done.append(Done(domain, policy.RESUMED, _refused(work)))
    return done


def _customers(day_of_reminders: DayOfReminders) -> list[tuple[list[Reminder], list[Reminder]]]:
    """Return what is reached today and what was before, by customer; nothing that is held back."""
    taken: dict[str, list[Reminder]] = {}
    before: dict[str, list[Reminder]] = {}
    for by_party, some in ((taken, day_of_reminders.reminders), (before, day_of_reminders.before)):
        for reminder in some:
            if not reminder.held:
                by_party.setdefault(reminder.document.party, []).append(reminder)
    return [(some, before.get(party, [])) for party, some in taken.items()]


def _remind(
    control: Control, campaign: Campaign, reached: Sequence[Reminder], before: Sequence[Reminder]
) -> list[Done]:
    """Take the steps of a customer, each by itself, then write the one letter and record them."""
    refused: dict[Number, str] = {}
    for reminder in reached:
        if _again(control, reminder).document.units:
            refused[reminder.document.number] = _refused(
                partial(_take, control, campaign, reminder)
            )
    taken = [reminder for reminder in reached if refused.get(reminder.document.number) == ""]
    if taken:
        why = _refused(partial(_tell, control, campaign, taken, before))
        refused |= {reminder.document.number: why for reminder in taken}
    return [
        Done(reminder.document.shown, reminder.step, refused[reminder.document.number])
        for reminder in reached
        if reminder.document.number in refused
    ]


def _refused(work: Callable[[], None]) -> str:
    """Do the work; return why it could not be done, or ''."""
    try:
        work()
    except PaquetError as refused:
        return refused.message
    return ""


def _take(control: Control, campaign: Campaign, reminder: Reminder) -> None:
    """Do to the bundle what a step says."""
    control.tell(f"{reminder.document.shown}: {reminder.step}")
    if reminder.step in ENDS:
        ENDS[reminder.step](control, reminder, _why(reminder), campaign.on)


def _tell(
    control: Control, campaign: Campaign, taken: Sequence[Reminder], before: Sequence[Reminder]
) -> None:
    """Write the letter about what is open by now, then the rows that say so, all or none.

    An end may give back what is asked for: the letter is about what is open then, if anything is.
    """
    now = [_again(control, reminder) for reminder in taken]
    asked = [reminder for reminder in now if reminder.document.units]
    still = [
        reminder
        for reminder in (_again(control, each) for each in before)
        if reminder.document.units
    ]
    about = [*asked, *still] if asked else []
    written = _write_letter(control, campaign, about) if about else None
    with control.session() as session:
        for reminder in now:
            digest = written.digest if written and reminder.document.units else ""
            reminders.reach(session, reminder, digest, campaign.on, control.told(_why(reminder)))
        if written is not None:
            documents = [reminder.document for reminder in about]
            posting_told.reminder(control, session, written, documents, campaign.on)


def _why(reminder: Reminder) -> str:
    return f"{reminder.document.shown} is not paid"


def _again(control: Control, reminder: Reminder) -> Reminder:
    """Return the reminder with what is open on its invoice by now."""
    with control.reading() as session:
        return replace(reminder, document=open_items.of(session, reminder.document.number))


def _suspend(control: Control, reminder: Reminder, why: str, _on: date) -> None:
    with control.reading() as session:
        bundle = paid_bundle(session, reminder.document.subscription_id)
    # Suspended too: the registry is changed before the server, which may not have answered.
    if bundle is not None and bundle.state in LIVING:
        upkeep.change_state(control, bundle.domain, SUSPENDED, why)


def _close(control: Control, reminder: Reminder, why: str, on: date) -> None:
    """End the contract: the bundle and its subscription, or a subscription that has no bundle."""
    closing = BundleClosing(why, on, on, "letter")
    with control.session() as session:
        bundle = paid_bundle(session, reminder.document.subscription_id)
        if bundle is None or offboard.is_over(session, bundle):
            opened = session.get(Subscription, reminder.document.subscription_id or 0)
            offboard.end_subscription(session, opened, closing, control.told(why))
            return
    offboard.close(control, bundle.domain, closing)


def _open_again(control: Control, campaign: Campaign, settled: Settled, domain: str) -> None:
    control.tell(f"{domain}: paid, and open again")
    upkeep.change_state(control, domain, ACTIVE, "All is paid")
    with control.session() as session:
        reminders.resumed(session, settled, campaign.on, control.told("All is paid"))


ENDS: Mapping[str, Callable[[Control, Reminder, str, date], None]] = {
    policy.SUSPEND: _suspend,
    policy.CLOSE: _close,
}


def _write_letter(
    control: Control, campaign: Campaign, overdue: Sequence[Reminder]
) -> ReminderLetter:
    """Write the letter about these reminders and its line in the list, and return it.

    It goes to the customer as they are known today.
    """
    overdue = sorted(
        overdue, key=lambda reminder: (reminder.document.due_on, reminder.document.shown)
    )
    with control.reading() as session:
        owner = organisations.get(session, campaign.organisation)
        profile = profiles.needed(session, owner, campaign.on)
        bundle = paid_bundle(session, letters.speaking(overdue).document.subscription_id)
        until = bundle.export_until if bundle and bundle.state == offboard.CLOSED else None
        known = identities.current(session, overdue[0].document.subscriber_id or 0)
    if known is None:
        raise PaquetError(reminders.NOBODY)
    person = identities.read(known)
    letter = letters.write((overdue, person), profile, campaign.on, until)
    replace_file(campaign.folder / f"{letter.name}.txt", letter.text.encode())
    if letter.pdf:
        replace_file(campaign.folder / f"{letter.name}.pdf", letter.pdf)
    mailed = Mailed(
        day=campaign.on,
        stage=letter.step,
        to=Addressee(person.name, person.email, person.address),
        subject=letter.subject,
        units=letter.units,
        invoices=tuple(reminder.document.shown for reminder in overdue),
        file=f"{letter.name}.{'pdf' if letter.pdf else 'txt'}",
    )
    mailing.add(_outbox(control, campaign), [mailed])
    return letter


def _outbox(control: Control, campaign: Campaign) -> Outbox:
    with control.reading() as session:
        sender = organisations.get(session, campaign.organisation).name
    return Outbox(campaign.folder, control.settings.operator.language, sender)
