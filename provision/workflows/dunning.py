"""Remind those who have not paid, suspend and close what stays unpaid, open again what was paid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.process.files import replace_file
from provision.registry.models import Order
from provision.subscriptions import organisations, profiles
from provision.subscriptions.payments import letters, owed, policy, reminders
from provision.subscriptions.payments.handing_over import private_folder
from provision.subscriptions.subscription_models import Subscription
from provision.workflows import bundles, offboard
from provision.workflows.offboard import Closing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.registry.models import Bundle
    from provision.subscriptions.payments.policy import Policy
    from provision.subscriptions.payments.reminders import Reminder, Settled
    from provision.workflows.control import Control

SUSPENDED, ACTIVE = "suspended", "active"
# Active too: the registry is changed before the server, which may not have answered.
LIVING = (ACTIVE, SUSPENDED)


@dataclass(frozen=True)
class Campaign:
    """Whose invoices are reminded, by which rules, on which day, with letters into a folder."""

    organisation: str
    rules: Policy
    on: date
    folder: Path


@dataclass(frozen=True)
class Due:
    """What a day brings: reminders, held ones with them, and bundles that can open again."""

    reminders: tuple[Reminder, ...]
    reopened: tuple[tuple[Settled, str], ...]


@dataclass(frozen=True)
class Done:
    """What became of one thing: an invoice's step, or a bundle, and why not, or ''."""

    what: str
    step: str
    refused: str


def due(control: Control, organisation: str, rules: Policy, on: date) -> Due:
    """Return what `run` would do on a day; nothing is written."""
    with control.reading() as session:
        owner = organisations.get(session, organisation)
        reopened = [
            (one, bundle.domain)
            for one in reminders.settled(session, owner, on)
            if (bundle := _bundle(session, one.subscription_id)) and bundle.state in LIVING
        ]
        found = reminders.due(session, owner, rules, on)
    return Due(tuple(found), tuple(reopened))


def run(control: Control, campaign: Campaign) -> list[Done]:
    """Write the letters of a day, suspend and open bundles, and record each step when it is done.

    What fails is told, and the others go on; killed in between, the same command goes on where it
    was: a letter has the same bytes, and a bundle that is suspended already stays so. What was
    settled meanwhile, by the step of another invoice too, is left in peace.
    """
    private_folder(campaign.folder)
    found = due(control, campaign.organisation, campaign.rules, campaign.on)
    done = []
    for reminder in found.reminders:
        if not reminder.held and _again(control, reminder).owed.units:
            work = partial(_take, control, campaign, reminder)
            done.append(Done(reminder.owed.shown, reminder.step, _refused(work)))
    for settled, domain in found.reopened:
        work = partial(_open_again, control, campaign, settled, domain)
        done.append(Done(domain, policy.RESUMED, _refused(work)))
    return done


def _refused(work: Callable[[], None]) -> str:
    """Do the work; return why it could not be done, or ''."""
    try:
        work()
    except PaquetError as refused:
        return refused.message
    return ""


def _take(control: Control, campaign: Campaign, reminder: Reminder) -> None:
    """Take one step: the bundle, then the letter, then the row that says so.

    An end may give back what is asked for: the letter is about what is open then, if anything is.
    """
    control.tell(f"{reminder.owed.shown}: {reminder.step}")
    why = f"{reminder.owed.shown} is not paid"
    if reminder.step in ENDS:
        ENDS[reminder.step](control, reminder, why, campaign.on)
    now = _again(control, reminder)
    digest = _write_letter(control, campaign, now) if now.owed.units else ""
    with control.session() as session:
        reminders.reach(session, now, digest, campaign.on, control.told(why))


def _again(control: Control, reminder: Reminder) -> Reminder:
    """Return the reminder with what is open on its invoice by now."""
    with control.reading() as session:
        return replace(reminder, owed=owed.of(session, reminder.owed.number))


def _suspend(control: Control, reminder: Reminder, why: str, _on: date) -> None:
    with control.reading() as session:
        bundle = _bundle(session, reminder.owed.subscription_id)
    if bundle is not None and bundle.state in LIVING:
        bundles.change_state(control, bundle.domain, SUSPENDED, why)


def _close(control: Control, reminder: Reminder, why: str, on: date) -> None:
    """End the contract: the bundle and its subscription, or a subscription that has no bundle."""
    closing = Closing(why, on, on, "letter")
    with control.session() as session:
        bundle = _bundle(session, reminder.owed.subscription_id)
        if bundle is None or offboard.is_over(session, bundle):
            opened = session.get(Subscription, reminder.owed.subscription_id or 0)
            offboard.end_subscription(session, opened, closing, control.told(why))
            return
    offboard.close(control, bundle.domain, closing)


def _open_again(control: Control, campaign: Campaign, settled: Settled, domain: str) -> None:
    control.tell(f"{domain}: paid, and open again")
    bundles.change_state(control, domain, ACTIVE, "All is paid")
    with control.session() as session:
        reminders.resumed(session, settled, campaign.on, control.told("All is paid"))


ENDS: Mapping[str, Callable[[Control, Reminder, str, date], None]] = {
    policy.SUSPEND: _suspend,
    policy.CLOSE: _close,
}


def _write_letter(control: Control, campaign: Campaign, reminder: Reminder) -> str:
    """Write the letter of a step, and return its SHA-256; nobody is written to once erased."""
    if reminder.person is None:
        return ""
    with control.reading() as session:
        owner = organisations.get(session, campaign.organisation)
        profile = profiles.needed(session, owner, campaign.on)
        bundle = _bundle(session, reminder.owed.subscription_id)
        until = bundle.export_until if bundle and bundle.state == offboard.CLOSED else None
    letter = letters.write((reminder, reminder.person), profile, campaign.on, until)
    replace_file(campaign.folder / f"{letter.name}.txt", letter.text.encode())
    if letter.pdf:
        replace_file(campaign.folder / f"{letter.name}.pdf", letter.pdf)
    return letter.digest


def _bundle(session: Session, subscription_id: int | None) -> Bundle | None:
    """Return the bundle that a subscription pays for, if it was ordered."""
    found = session.get(Subscription, subscription_id) if subscription_id else None
    order = session.get(Order, found.order_id) if found and found.order_id else None
    return order.bundle if order else None
