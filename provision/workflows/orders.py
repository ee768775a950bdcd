"""Orders as people read them: what was wished, how far each is, what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.registry import orders, runs
from provision.registry.models import Event, Order
from provision.subscriptions.parties import people
from provision.workflows import names

if TYPE_CHECKING:
    from provision.workflows.control import Control


def story(control: Control, number: int) -> dict[str, object]:
    """Return the order, its steps and its events, for a person or as JSON."""
    with control.reading() as session:
        order = orders.get(session, number)
        bundle, wish, run = order.bundle, order.wish, orders.run_of(session, order)
        about = Event.subject.in_([orders.subject(order)])
        events = session.scalars(select(Event).where(about).order_by(Event.id)).all()
        return {
            "order": order.id,
            "job": run.id,
            "state": order.state,
            "subscriber": f"{order.subscriber.name} <{people.called(order.subscriber)}>",
            "address": bundle.users[0].address if bundle.users else "",
            "cloud": wish["cloud"],
            "web": f"https://{names.cloud_host(bundle.domain, control.settings)}/",
            "bundle": bundle.name,
            "server": bundle.server,
            "kit": _kit(control, order),
            "steps": runs.told_steps(run),
            "events": [
                {"at": f"{event.at:%Y-%m-%d %H:%M:%S}", "who": event.actor, "what": event.what}
                for event in events
            ],
        }


def listing(control: Control) -> list[dict[str, object]]:
    """Return one row per order, the newest first."""
    with control.reading() as session:
        return [
            {
                "order": order.id,
                "state": order.state,
                "address": order.bundle.users[0].address if order.bundle.users else "",
                "cloud": order.bundle.cloud,
                "server": order.bundle.server,
                "placed": f"{order.placed_at:%Y-%m-%d %H:%M}",
            }
            for order in session.scalars(select(Order).order_by(Order.id.desc()))
        ]


def _kit(control: Control, order: Order) -> str:
    for user in order.bundle.users:
        for device in user.devices:
            folder = control.kits / user.address / device.id
            if device.name == order.wish["device"] and folder.is_dir():
                return str(folder)
    return ""
