"""`paquet order`: show, list; place, resume and cancel are in `order_delivery`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import json_option, number_type
from provision.workflows import orders

if TYPE_CHECKING:
    from provision.commands.shared.context import Context

WAITING = {
    "place": Waiting(
        "bundles.order_delivery",
        "Order a bundle for EMAIL and deliver it: names, cloud, mail, backup, phone kit.",
    ),
    "resume": Waiting("bundles.order_delivery", "Go on with order NUMBER where it stopped."),
    "cancel": Waiting(
        "bundles.order_delivery",
        "Cancel order NUMBER, which is not delivered; its domain is free again.",
    ),
}


@click.group(cls=Imported, waiting=WAITING)
def order() -> None:
    """From an order to a bundle that phones sync with."""


@order.command("show")
@click.argument("number", type=number_type)
@json_option
@pass_context
def show_order(context: Context, number: int, *, as_json: bool) -> None:
    """Tell the story of order NUMBER: its wish, its steps, what happened."""
    context.show(orders.story(context.control(), number), as_json=as_json)


@order.command("list")
@json_option
@pass_context
def list_orders(context: Context, *, as_json: bool) -> None:
    """List the orders, the newest first."""
    context.show(orders.listing(context.control()), as_json=as_json)
