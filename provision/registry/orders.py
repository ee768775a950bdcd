"""An order: first a checked wish, then the history of its steps."""

from __future__ import annotations

import secrets
import string
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from provision.errors import PaquetError, UsageRefused
from provision.registry import runs, states, subscribers
from provision.registry.models import Bundle, Order, Run, User
from provision.registry.runs import WantedRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from provision.registry.models import Subscriber
    from provision.registry.states import Told

LETTERS = string.ascii_lowercase + string.digits
NAME_LENGTH = 8


@dataclass(frozen=True)
class Wish:
    """What was ordered, every word already checked by `registry.edges`."""

    email: str
    name: str
    login: str
    language: str
    plan: str
    domain: str
    cloud: str
    cloud_version: str
    server: str
    backup_server: str
    sold_by: str
    supported_by: str
    device: str
    kind: str
    quota_bytes: int


@dataclass(frozen=True)
class DkimKey:
    """The name and the public half of the key that signs a domain's mail (RFC 6376)."""

    selector: str
    public_key: str


def find_twin(session: Session, wish: Wish) -> Order | None:
    """Return the order that already holds this domain when its wish is the same, else None.

    Raises UsageRefused when somebody else has the domain.
    """
    living = select(Bundle).where(Bundle.domain == wish.domain, Bundle.state != "erased")
    bundle = session.scalar(living)
    if bundle is None:
        return None
    order = of_bundle(session, bundle)
    if order.wish != asdict(wish):
        raise UsageRefused(
            f"{wish.domain} is taken by order {order.id}",
            f"Choose another domain, or look at it: paquet order show {order.id}",
        )
    return order


def place(
    session: Session, wish: Wish, *, dkim: DkimKey, steps: Sequence[str], told: Told
) -> Order:
    """Write the order, its subscriber, bundle and first user. The caller commits."""
    subscriber = _subscriber(session, wish, told)
    bundle = _bundle(subscriber, wish, dkim, told)
    order = Order(
        subscriber=subscriber, bundle=bundle, wish=asdict(wish), state="placed", placed_at=told.at
    )
    session.add(order)
    try:
        session.flush()
    except IntegrityError:
        raise UsageRefused(
            f"{wish.domain} was taken a moment ago", "Choose another domain."
        ) from None
    states.record(session, subject(order), "placed", told)
    asked = WantedRun(
        runs.ORDER,
        subject(order),
        steps,
        {"order": order.id},
        server=wish.server,
        subscriber_id=subscriber.id,
    )
    runs.ask(session, asked, told)
    return order


def _bundle(subscriber: Subscriber, wish: Wish, dkim: DkimKey, told: Told) -> Bundle:
    """Return the bundle that is wished, with its first user."""
    bundle = Bundle(
        name="b" + "".join(secrets.choice(LETTERS) for _ in range(NAME_LENGTH)),
        subscriber=subscriber,
        domain=wish.domain,
        cloud=wish.cloud,
        cloud_version=wish.cloud_version,
        server=wish.server,
        backup_server=wish.backup_server,
        state="active",
        quota_bytes=wish.quota_bytes,
        dkim_selector=dkim.selector,
        dkim_public_key=dkim.public_key,
        created_at=told.at,
    )
    bundle.users.append(
        User(
            address=f"{wish.login}@{wish.domain}",
            display_name=wish.name,
            language=wish.language,
        )
    )
    return bundle


def run_of(session: Session, order: Order) -> Run:
    """Return the run that delivers `order`: there is one from its first day to its last."""
    delivering = select(Run).where(Run.kind == runs.ORDER, Run.subject == subject(order))
    return session.scalars(delivering).one()


def subject(order: Order) -> str:
    """Return the name under which events speak of `order`."""
    return f"order:{order.id}"


def get(session: Session, order_id: int) -> Order:
    """Return the order, or raise PaquetError."""
    order = session.get(Order, order_id)
    if order is None:
        raise PaquetError(f"There is no order {order_id}", "See `paquet order list`.")
    return order


def of_bundle(session: Session, bundle: Bundle) -> Order:
    """Return the order that made `bundle`."""
    return session.scalars(select(Order).where(Order.bundle_id == bundle.id)).one()


def load_bundle(bundle: Bundle) -> Bundle:
    """Return `bundle` with its users and their devices, usable after the session has ended."""
    for user in bundle.users:
        list(user.devices)
    return bundle


def give_up(session: Session, bundle: Bundle, told: Told) -> None:
    """Mark a bundle that never was delivered as erased: its domain and addresses are free."""
    told_of = (f"bundle:{bundle.name}", told)
    for state in ("closed", "erased"):
        states.change_state(session, bundle, states.BUNDLE, state, told=told_of)
    forget_users(session, bundle)


def forget_users(session: Session, bundle: Bundle) -> None:
    """Delete the users of an erased bundle and their devices: the addresses are free again."""
    for user in list(bundle.users):
        for device in user.devices:
            session.delete(device)
        session.delete(user)


def living_bundles(session: Session, server: str) -> int:
    """Return how many bundles `server` carries."""
    living = select(func.count(Bundle.id)).where(
        Bundle.server == server, Bundle.state.in_(("active", "suspended", "closed"))
    )
    return session.scalar(living) or 0


def _subscriber(session: Session, wish: Wish, told: Told) -> Subscriber:
    return subscribers.of_email(session, wish.email) or subscribers.add(
        session, wish.name, wish.email, language=wish.language, told=told
    )
