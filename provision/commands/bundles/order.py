"""`paquet order`: place, show, list, resume, cancel."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import click

from provision.commands.shared import progress
from provision.commands.shared.context import (
    again_option,
    ask,
    dry_run_option,
    json_option,
    number_type,
    pass_context,
    show,
    yes_option,
)
from provision.commands.shared.customers import ask_where_same, customer_options, said
from provision.workflows import onboard, ordering, orders

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provision.commands.shared.context import Context

ORDERED = {word.name for word in fields(ordering.Words)} - {"customer"}
KINDS = click.Choice(["android", "ios", "desktop"])


@click.group()
def order() -> None:
    """From an order to a bundle that phones sync with."""


@order.command()
@click.argument("email")
@click.option("--name", required=True, help="The name of the subscriber.")
@click.option("--plan", required=True, help="What is sold: see `paquet subscription plans list`.")
@click.option("--domain", required=True, help="What stands behind the @ of the addresses.")
@click.option("--cloud", type=click.Choice(["nextcloud", "light"]), required=True)
@click.option("--server", help="Where the bundle lives; else the emptiest server.")
@click.option("--sold-by", required=True, help="The business that sells and invoices.")
@click.option("--supported-by", required=True, help="The association that supports.")
@click.option("--login", help="What stands before the @; else as in EMAIL.")
@click.option("--language", type=click.Choice(["fr", "en"]), help="Else the operator's.")
@click.option("--device", default="Téléphone", show_default=True, help="The first device's name.")
@click.option("--for", "kind", type=KINDS, default="android", show_default=True)
@customer_options
@again_option
@yes_option
@dry_run_option
@json_option
@pass_context
def place(context: Context, /, **words: object) -> None:
    """Order a bundle for EMAIL and deliver it: names, cloud, mail, backup, phone kit.

    Every word is checked before anything is touched. If it is interrupted or a step fails,
    `paquet order resume` goes on; placed twice, it does nothing twice. Where the same person has
    this plan since today already, under another domain, it is asked, also with --yes.
    """
    as_json, yes, dry_run = (bool(words.pop(key)) for key in ("as_json", "yes", "dry_run"))
    again = bool(words.pop("again"))
    control = context.control()
    customer = said(words)
    typed = {name: words[name] for name in ORDERED}
    wish = ordering.check(control, ordering.Words(**typed, customer=customer))  # type: ignore[arg-type]
    if dry_run:
        show(ordering.preview(control, wish, customer), as_json=as_json)
        return
    if not again and not ordering.is_placed(control, wish):
        ask_where_same(context, wish.email, wish.plan, control.today())
    if not yes:
        _print_story(ordering.preview(control, wish, customer), as_json=False)
        ask("\nDeliver it?")
    placed = ordering.place(control, wish, customer)
    _deliver(context, placed, as_json=as_json)


@order.command()
@click.argument("number", type=number_type)
@json_option
@pass_context
def resume(context: Context, /, number: int, *, as_json: bool) -> None:
    """Go on with order NUMBER where it stopped."""
    _deliver(context, number, as_json=as_json)


@order.command("show")
@click.argument("number", type=number_type)
@json_option
@pass_context
def show_order(context: Context, /, number: int, *, as_json: bool) -> None:
    """Tell the story of order NUMBER: its wish, its steps, what happened."""
    _print_story(orders.story(context.control(), number), as_json=as_json)


@order.command("list")
@json_option
@pass_context
def list_orders(context: Context, /, *, as_json: bool) -> None:
    """List the orders, the newest first."""
    show(orders.listing(context.control()), as_json=as_json)


@order.command()
@click.argument("number", type=number_type)
@click.option("--why", required=True, help="The reason, for the record.")
@pass_context
def cancel(context: Context, /, number: int, why: str) -> None:
    """Cancel order NUMBER, which is not delivered; its domain is free again."""
    ordering.cancel(context.control(), number, why)
    click.echo(f"Order {number} is cancelled.")


def _deliver(context: Context, number: int, *, as_json: bool) -> None:
    with progress.steps(quiet=as_json) as tell:
        onboard.resume(context.control(tell), number)
    _print_story(orders.story(context.control(), number), as_json=as_json)


def _print_story(story: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        show(story, as_json=True)
        return
    lists = {key: value for key, value in story.items() if isinstance(value, list)}
    show({key: value for key, value in story.items() if key not in lists}, as_json=False)
    for title, rows in lists.items():
        click.echo(f"\n{title}:")
        show(rows, as_json=False)
