"""`paquet organisation duties`: from when on an organisation must use an approved platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click

from provision.commands.shared.context import pass_context
from provision.commands.shared.words import json_option
from provision.formats.books import einvoicing_calendar
from provision.formats.books.einvoicing_calendar import Size
from provision.subscriptions.parties import organisations, profiles

if TYPE_CHECKING:
    from datetime import date

    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts

OUTSIDE = ("association_accessory", "outside_scope")  # regimes that have none of these duties


@click.command()
@click.argument("name")
@click.option("--size", type=click.Choice(get_args(Size)), help="Only of this size: else all.")
@json_option
@pass_context
def duties(context: Context, name: str, size: Size | None, *, as_json: bool) -> None:
    """Show from when on invoices of and for NAME must go by an approved platform.

    Who is subject to VAT has these duties, under the franchise too. An association that is not has
    none, nor one whose lucrative work stays accessory and below its threshold.
    """
    today = context.today
    with context.reading() as session:
        profile = profiles.on(session, organisations.get(session, name).id, today)
    regime = profile.vat if profile else ""
    rows = [] if regime in OUTSIDE else _rows(size, today)
    nothing = f"{name} has none of these duties while its VAT regime is {regime}."
    context.show(rows, as_json=as_json, nothing=nothing)


def _rows(size: Size | None, today: date) -> list[Facts]:
    return [
        {
            "duty": duty.duty,
            "sizes": ", ".join(name for name in get_args(Size) if name in duty.sizes),
            "from": duty.valid_from.isoformat(),
            "latest": duty.latest.isoformat(),
            "now": "yes" if duty.rules_on(today) else "not yet",
            "source": duty.source,
        }
        for duty in einvoicing_calendar.of(size)
    ]
