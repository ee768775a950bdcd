"""`paquet post`: letters that wait, left, came back; what sends them is in `post_sending`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import json_option, typed
from provision.post import outbox
from provision.workflows import posting_listing

if TYPE_CHECKING:
    from provision.commands.shared.context import Context

WAITING = {
    "show": Waiting(
        "people.post_show", "Show letter NUMBER: its headers, its text, and what became of it."
    ),
    "send": Waiting(
        "people.post_sending",
        "Write the letters that are missing, and send all that may leave now.",
    ),
    "letterbox": Waiting(
        "people.post_letterbox", "Write one PDF of all letters on paper, ready for the letterbox."
    ),
    "hold": Waiting(
        "people.post_holding", "Keep letter WHAT back, or all letters to a subscriber."
    ),
    "release": Waiting("people.post_holding", "Let go again what was held: a letter, or a person."),
    "retry": Waiting(
        "people.post_holding", "Send letter NUMBER once more, to where its person is reached today."
    ),
    "sender": Waiting(
        "people.post_sender", "Give the address that letters leave from its secret, sealed here."
    ),
}


@click.group(cls=Imported, waiting=WAITING)
def post() -> None:
    """Send what is written to people: each letter once, or on paper."""


@dataclass(frozen=True)
class LettersWanted:
    """Which letters are listed."""

    state: str | None
    bounced: bool
    subscriber: str | None


@post.command("list")
@click.option("--state", type=click.Choice(list(outbox.STATES)), help="Only in this state.")
@click.option("--bounced", is_flag=True, help="Only those that came back.")
@click.option("--to", "subscriber", help="Only to this subscriber (e-mail address or number).")
@typed(LettersWanted, "wanted")
@json_option
@pass_context
def list_letters(context: Context, wanted: LettersWanted, *, as_json: bool) -> None:
    """List letters, the newest first."""
    state = outbox.BOUNCED if wanted.bounced else wanted.state
    with context.reading() as session:
        rows = posting_listing.listing(session, state, wanted.subscriber)
    context.show(rows, as_json=as_json, nothing="There is no such letter.")
