"""`paquet` itself: its commands in sections, and the words that they had before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.commands.shared.imported import Imported, Waiting

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click

# In the order that a newcomer needs; a test holds each line against the command's own help.
SECTIONS: Mapping[str, Mapping[str, Waiting]] = {
    "Begin": {
        "init": Waiting("begin.init", ""),
        "rehearse": Waiting("begin.rehearse", ""),
        "lab": Waiting("begin.lab", ""),
    },
    "Machines": {
        "server": Waiting("machines.server", ""),
        "artifact": Waiting("machines.artifact", ""),
        "dns": Waiting("machines.dns", ""),
    },
    "Bundles": {
        "order": Waiting("bundles.order", ""),
        "bundle": Waiting("bundles.bundle", ""),
        "user": Waiting("bundles.user", ""),
        "phone": Waiting("bundles.phone", ""),
        "backup": Waiting("bundles.backup", ""),
    },
    "Sales": {
        "organisation": Waiting("sales.organisation", ""),
        "plan": Waiting("sales.plan", ""),
        "contract": Waiting("sales.contract", ""),
        "subscription": Waiting("sales.subscription", ""),
        "invoice": Waiting("sales.invoice", ""),
    },
    "Money in": {
        "payment": Waiting("payments.payment", ""),
        "mandate": Waiting("payments.mandate", ""),
        "bank": Waiting("payments.bank", ""),
        "dunning": Waiting("payments.dunning", ""),
    },
    "Books": {
        "books": Waiting("books.books", ""),
        "settlement": Waiting("books.settlement", ""),
        "report": Waiting("books.report", ""),
    },
    "In common": {
        "fund": Waiting("commons.fund", ""),
        "hours": Waiting("commons.hours", ""),
        "debt": Waiting("commons.debt", ""),
        "reciprocity": Waiting("commons.reciprocity", ""),
        "exchange": Waiting("commons.exchange", ""),
        "receipt": Waiting("commons.receipt", ""),
    },
    "People": {
        "subscriber": Waiting("people.subscriber", ""),
        "privacy": Waiting("people.privacy", ""),
    },
}
COMMANDS = {name: one for section in SECTIONS.values() for name, one in section.items()}
# What was typed in the release before this one, and where it is answered now.
BEFORE = {"money": "books.books", "statement": "payments.bank"}


class Sections(Imported):
    """The commands of `SECTIONS`, each imported when it is called."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections, and what each command is for."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.told(ctx, name)) for name in commands])
