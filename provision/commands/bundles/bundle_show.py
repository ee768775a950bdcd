"""`paquet bundle show`: what a bundle is, what it may hold, what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import pass_context
from provision.commands.shared.words import json_option
from provision.workflows import capacity

if TYPE_CHECKING:
    from provision.commands.shared.context import Context


@click.command("show")
@click.argument("domain")
@json_option
@pass_context
def show_bundle(context: Context, domain: str, *, as_json: bool) -> None:
    """Show the bundle of DOMAIN."""
    context.show(capacity.describe(context.control(), domain), as_json=as_json)
