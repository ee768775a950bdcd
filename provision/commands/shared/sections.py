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
        "init": Waiting(
            "begin.init",
            "Write paquet.toml, paquet.key and inventory.yml for a new control machine.",
        ),
        "rehearse": Waiting(
            "begin.rehearse",
            "Order a bundle on lab machines, from nothing to the phone kit. Needs root.",
        ),
        "lab": Waiting("begin.lab", "Run real Debian 13 machines on this computer (needs root)."),
    },
    "Machines": {
        "server": Waiting(
            "machines.server",
            "Make servers of bare Debian machines, and keep them as they should be.",
        ),
        "artifact": Waiting(
            "machines.artifact",
            "Keep verified archives of the clouds, so that servers can be prepared offline.",
        ),
        "dns": Waiting(
            "machines.dns",
            "Look after names; DOMAIN stands behind the @ of a bundle, or is the operator's zone.",
        ),
    },
    "Bundles": {
        "order": Waiting("bundles.order", "From an order to a bundle that phones sync with."),
        "bundle": Waiting(
            "bundles.bundle",
            "Look after the cloud, mail, names and backup of one subscriber; DOMAIN says which.",
        ),
        "user": Waiting(
            "bundles.user",
            "Give people of a bundle their address, which is their login everywhere.",
        ),
        "phone": Waiting(
            "bundles.phone",
            "Let phones and computers sync, each with one secret for mail and cloud.",
        ),
        "backup": Waiting(
            "bundles.backup",
            "Back bundles up on another machine, each with its own key; look, restore.",
        ),
    },
    "Sales": {
        "organisation": Waiting(
            "sales.organisation", "Say who sells and who supports: associations and businesses."
        ),
        "plan": Waiting("sales.plan", "Say what is sold, for how much from which day on."),
        "contract": Waiting("sales.contract", "Say who sells, alone or sharing with another."),
        "subscription": Waiting(
            "sales.subscription", "Say who subscribed to what, and what becomes of it."
        ),
        "invoice": Waiting("sales.invoice", "Bill what is due, and hand out what was billed."),
    },
    "Money in": {
        "payment": Waiting(
            "payments.payment", "Collect what is owed, and book what the bank says."
        ),
        "mandate": Waiting(
            "payments.mandate",
            "Keep the mandates by which subscribers let an organisation debit their account.",
        ),
        "bank": Waiting("payments.bank", "Bring in what the bank says, and look at it."),
        "dunning": Waiting(
            "payments.dunning",
            "Remind those who have not paid, step by step, and never without saying so.",
        ),
    },
    "Books": {
        "books": Waiting("books.books", "Read the ledger and prove that it is whole."),
        "settlement": Waiting(
            "books.settlement",
            "Settle what sellers owe the associations, and their own funds, for what they sold.",
        ),
        "report": Waiting(
            "books.report", "Tell members what becomes of their money, over twelve months."
        ),
    },
    "In common": {
        "fund": Waiting(
            "commons.fund", "Keep money apart for commons, solidarity, reserve or coordination."
        ),
        "hours": Waiting(
            "commons.hours", "Write down the time that people give, and see what it is taken for."
        ),
        "debt": Waiting(
            "commons.debt", "Write down contributive debts, and pay them, never above what is owed."
        ),
        "reciprocity": Waiting(
            "commons.reciprocity",
            "Say what a business means to give back, and compare it with what it gave.",
        ),
        "exchange": Waiting(
            "commons.exchange",
            "Take local currencies, hours, or goods of an agreed value, for an invoice.",
        ),
        "receipt": Waiting(
            "commons.receipt",
            "Write down fees and donations that an association received, and give receipts.",
        ),
    },
    "People": {
        "subscriber": Waiting(
            "people.subscriber",
            "Bring in who pays, hand them all that is known of them, and forget them.",
        ),
        "privacy": Waiting(
            "people.privacy", "Let go what is too old, and write the register of processing."
        ),
        "post": Waiting(
            "people.post", "Send what is written to people: each letter once, or on paper."
        ),
    },
    "Clockwork": {
        "job": Waiting(
            "clockwork.job",
            "See the long actions: what waits, what runs, what failed and can go on.",
        ),
        "schedule": Waiting(
            "clockwork.schedule", "See what comes by itself, such as billing and checks, and when."
        ),
        "worker": Waiting(
            "clockwork.worker",
            "Carry out what waits and what the schedule brings, until it is stopped (SIGTERM, "
            "Ctrl-C).",
        ),
    },
}
COMMANDS = {name: command for section in SECTIONS.values() for name, command in section.items()}
# What was typed in the release before this one, and where it is answered now.
BEFORE = {"money": "books.books", "statement": "payments.bank"}


class Sections(Imported):
    """The commands of `SECTIONS`, each imported when it is called."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections, and what each command is for."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.told(ctx, name)) for name in commands])
