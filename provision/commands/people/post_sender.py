"""`paquet post sender`: the secret of the address that letters leave from."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

import click
from pydantic import SecretStr

from provision.commands.shared import progress
from provision.commands.shared.asking import someone_is_there
from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.errors import UsageRefused
from provision.workflows import posting_sender

if TYPE_CHECKING:
    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context


@click.command()
@change_options
@pass_context
def sender(context: Context, how: How) -> None:
    """Give the address that letters leave from its secret, sealed here.

    An address of one of our bundles gets a device of its own, called Paquet; done again, it gets a
    new secret. For any other its password is asked for, and tried at its server.
    """
    control = context.control()
    address, own = posting_sender.address(control), posting_sender.own_server(control)
    planned: dict[str, object] = {
        "address": address,
        "server": own.server_name if own else context.settings.post.host,
        "secret": f"of a new device, {posting_sender.DEVICE}" if own else "its password, asked for",
    }
    if not agreed(context, planned, how, "Do it?"):
        return
    if own is None:
        posting_sender.keep(control, _asked(address))
    else:
        with progress.steps(quiet=how.as_json) as tell:
            posting_sender.enrol(context.control(tell))
    context.show(planned, as_json=how.as_json)


def _asked(address: str) -> SecretStr:
    """Return the password as somebody types it, unseen; from a pipe it is one line."""
    if someone_is_there():
        typed = getpass.getpass(f"Password of {address}: ")
    else:
        typed = sys.stdin.readline().rstrip("\n")
    if not typed:
        raise UsageRefused(f"The password of {address} is empty", "Type it, or pipe it in.")
    return SecretStr(typed)
