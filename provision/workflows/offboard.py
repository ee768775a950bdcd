"""The end of a bundle: closed while its owner takes everything along, then erased for good.

Sources: Regulation (EU) 2023/2854, article 25(2)(g) and (h) (30 days at least to take one's data,
then full erasure); Regulation (EU) 2016/679 (RGPD), articles 17 and 28(3)(g).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from provision import database
from provision.errors import UnsafeChange, UsageRefused
from provision.registry import orders, secrets, states
from provision.registry.models import Bundle
from provision.subscriptions.selling import cancelling, opening
from provision.subscriptions.selling.cancelling import Cancellation
from provision.workflows import bundles, plays, privacy, zones

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.dns.changes import ChangeSet
    from provision.registry.states import Told
    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.selling.models import Subscription
    from provision.workflows.control import Control

CLOSED, ERASED = "closed", "erased"


@dataclass(frozen=True)
class BundleClosing:
    """Why a bundle closes, the last day that is paid for, on which day it is asked, and how.

    With `refund`, what is billed beyond the last day is given back.
    """

    why: str
    last_day: date
    on: date
    how: str
    refund: bool = False


@dataclass(frozen=True)
class Closed:
    """A closed bundle: until when all can be taken along, and how its subscription ends, if any."""

    bundle: Bundle
    subscription: Subscription | None
    numbers: list[Number]


@dataclass(frozen=True)
class BundleErasing:
    """A bundle that can be erased, with its users and devices, and what must leave its zone."""

    bundle: Bundle
    names: ChangeSet


def close(control: Control, domain: str, closing: BundleClosing) -> Closed:
    """End the services of the bundle of `domain` and its subscription: registry first, then server.

    Backups and export go on. Killed in between, the same call brings the server to what the
    registry says; done twice, nothing is cancelled twice and the window stays as it was.
    """
    closed = database.retried(
        control.engine, lambda session: close_in_registry(session, control, domain, closing)
    )
    plays.change(control, plays.bundle_play("bundle.yml", closed.bundle, control))
    return closed


def close_in_registry(
    session: Session, control: Control, domain: str, closing: BundleClosing
) -> Closed:
    """Write that the bundle is closed, open its window, and end its subscription.

    Raises UsageRefused for a bundle that was never delivered, or a last day that is not here yet,
    and PaquetError once its erasing began.
    """
    bundle = bundles.living(session, domain)
    if states.is_erasing(session, bundle.name):
        raise plays.being_erased(bundle.domain)
    order = orders.of_bundle(session, bundle)
    _refuse_early(bundle, closing)
    if order.state != "delivered":
        raise UsageRefused(
            f"Order {order.id} of {bundle.domain} is {order.state}, not delivered",
            f"Finish it (paquet order resume {order.id}), or cancel it: paquet order cancel.",
        )
    told = control.told(closing.why)
    if bundle.state != CLOSED:
        subject = f"bundle:{bundle.name}"
        states.change_state(session, bundle, states.BUNDLE, CLOSED, told=(subject, told))
        days = timedelta(days=control.settings.bundles.export_days)
        bundle.export_until = control.today() + days
    opened = opening.of_order(session, order.id)
    numbers = end_subscription(session, opened, closing, told)
    return Closed(orders.load_bundle(bundle), opened, numbers)


def as_closed(session: Session, domain: str, numbers: list[Number]) -> Closed:
    """Return the closed bundle of `domain`, with the credit notes that its closing made."""
    bundle = bundles.living(session, domain)
    order = orders.of_bundle(session, bundle)
    return Closed(orders.load_bundle(bundle), opening.of_order(session, order.id), numbers)


def end_subscription(
    session: Session, opened: Subscription | None, closing: BundleClosing, told: Told
) -> list[Number]:
    """Let a subscription end on the last day of the closing; return its credit notes.

    One that was cancelled for a later day ends sooner; one that ends by then is left as it is.
    """
    if opened is None or opened.state != opening.ACTIVE:
        return []
    if opened.last_day is not None and opened.last_day <= closing.last_day:
        return []
    asked = Cancellation(
        last_day=closing.last_day,
        reason=closing.why,
        asked_on=closing.on,
        how=closing.how,
        refund=closing.refund,
    )
    end = cancelling.cancel if opened.last_day is None else cancelling.bring_forward
    return end(session, opened, asked, on=closing.on, told=told)


def is_over(session: Session, bundle: Bundle) -> bool:
    """Tell whether a bundle is erased, or its erasing began: there is nothing to close any more."""
    return bundle.state == ERASED or states.is_erasing(session, bundle.name)


def look(control: Control, domain: str, *, hurry: bool) -> BundleErasing:
    """Return what erasing the bundle of `domain` takes away; nothing is changed.

    Raises UsageRefused before it is closed, and UnsafeChange in its window unless in a `hurry`.
    """
    bundle = bundles.find(control, domain)
    if bundle.state != CLOSED:
        raise UsageRefused(
            f"The bundle of {bundle.domain} is {bundle.state}",
            f"Close it first: paquet bundle close {bundle.domain} --why …",
        )
    if not hurry and (bundle.export_until is None or control.today() <= bundle.export_until):
        raise UnsafeChange(
            f"The owner of {bundle.domain} may take everything until {bundle.export_until}",
            "Erase it after that day; if its owner needs nothing any more: --now --why …",
        )
    return BundleErasing(bundle, zones.ending(bundle, control.settings))


def erase(control: Control, domain: str, why: str, *, hurry: bool = False) -> BundleErasing:
    """Take the bundle of `domain` away: names, server, backups, then users and secrets here.

    The registry says that it is erased when all else is gone. Killed before that, the same call
    goes on: what is gone already is no change.
    """
    planned = look(control, domain, hurry=hurry)
    subject = f"bundle:{planned.bundle.name}"
    with control.session() as session:
        states.record(session, subject, states.ERASING, control.told(why))
    control.tell("names: its records leave the DNS")
    zones.withdraw(planned.bundle, control.settings)
    control.tell("bundle: it leaves its servers")
    plays.change(control, plays.erasing_play(planned.bundle, control))
    control.tell("registry: users, devices, kits and secrets are forgotten")
    _forget(control, planned.bundle.id, why)
    return planned


def _forget(control: Control, bundle_id: int, why: str) -> None:
    """Write that the bundle is erased, and delete its users, devices, kits and secrets."""
    with control.session() as session:
        privacy.overwrite(session)
        bundle = session.get_one(Bundle, bundle_id)
        kits = [user.address for user in bundle.users]
        _revoke(session, control, bundle)
        orders.forget_users(session, bundle)
        subject = f"bundle:{bundle.name}"
        secrets.forget(session, subject)
        told = (subject, control.told(why))
        states.change_state(session, bundle, states.BUNDLE, ERASED, told=told)
        session.flush()
        privacy.remove_kits(control, kits)
    privacy.scrub(control.engine)


def _revoke(session: Session, control: Control, bundle: Bundle) -> None:
    """Leave an event for each device that could sync until now."""
    for device in (device for user in bundle.users for device in user.devices):
        if device.state == "enrolled":
            told = (f"device:{device.id}", control.told())
            states.change_state(session, device, states.DEVICE, "revoked", told=told)


def _refuse_early(bundle: Bundle, closing: BundleClosing) -> None:
    if closing.last_day > closing.on:
        raise UsageRefused(
            f"{closing.last_day} is not here yet",
            f"Cancel the subscription with that last day; when it is over, close {bundle.domain}.",
        )
