"""What each table of the registry holds of persons, and what becomes of it when one is erased.

The tables are read from the registry itself, not from the modules that happen to be imported: a
table that somebody added is found by its columns, and export shows it at once. Erasing it needs a
decision: one line here. Until then nobody is erased, and a test fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import MetaData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

ROOT = "subscriber"
# Columns that point to a person's row without a foreign key; any `<table>_id` does too.
POINTERS = MappingProxyType(
    {"party": ("person_reference", "reference"), "giver": ("person_reference", "reference")}
)
SECRET_WORDS = ("secret", "password", "salt", "token", "private")


class Fate(Enum):
    """What becomes of a person's rows when the person is erased; only identities are archived."""

    DELETED = "deleted"
    BLANKED = "blanked"
    ARCHIVED = "archived"
    KEPT = "kept"


@dataclass(frozen=True)
class Holding:
    """What becomes of a table's rows, and why; `blanked` columns get the mark of the erased."""

    fate: Fate
    why: str
    blanked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Link:
    """Columns of a table that say which row of `target` its rows belong to."""

    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]


HOLDINGS = MappingProxyType(
    {
        "subscriber": Holding(Fate.BLANKED, "documents refer to its number", ("name", "email")),
        "person_reference": Holding(Fate.DELETED, "without its salt the ledger points to nobody"),
        "identity": Holding(Fate.ARCHIVED, "documents of the last ten years need it"),
        "bundle": Holding(Fate.BLANKED, "its order refers to its number", ("domain",)),
        "user": Holding(Fate.DELETED, "nobody logs in to an erased bundle"),
        "device": Holding(Fate.DELETED, "nothing syncs with an erased bundle"),
        "order": Holding(
            Fate.BLANKED, "its subscription refers to its number; the plan stays", ("wish",)
        ),
        "run": Holding(Fate.BLANKED, "its words quote names", ("asked", "message", "hint")),
        "run_step": Holding(Fate.BLANKED, "messages of machines quote names", ("message", "facts")),
        "run_line": Holding(Fate.DELETED, "lines of machines quote names"),
        "subscription": Holding(Fate.KEPT, "invoices refer to its number"),
        "subscription_version": Holding(Fate.KEPT, "it explains the amounts of invoices"),
        "discount": Holding(Fate.KEPT, "it explains the amounts of invoices"),
        "turnover": Holding(Fate.KEPT, "it explains the amounts of invoices"),
        "invoice": Holding(Fate.KEPT, "Code de commerce L123-22; it knows a reference only"),
        "invoice_line": Holding(Fate.KEPT, "Code de commerce L123-22"),
        "line_share": Holding(Fate.KEPT, "Code de commerce L123-22"),
        "allocation": Holding(Fate.KEPT, "Code de commerce L123-22"),
        "deposit_deduction": Holding(Fate.KEPT, "Code de commerce L123-22"),
        "barter_agreement": Holding(Fate.KEPT, "it proves what an invoice was paid with"),
        "barter_delivery": Holding(Fate.KEPT, "it proves what an invoice was paid with"),
        "time_given": Holding(Fate.KEPT, "the journal has the same hours; a reference only"),
        "mandate": Holding(
            Fate.BLANKED,
            "its reference proves what was debited",
            ("holder", "street", "postcode", "town", "iban", "bic"),
        ),
        "collection_item": Holding(Fate.KEPT, "Code de commerce L123-22; it knows a number only"),
        "collection_answer": Holding(Fate.KEPT, "Code de commerce L123-22"),
        "dunning_mark": Holding(Fate.KEPT, "it explains what was not asked for"),
        "dunning_pause": Holding(Fate.KEPT, "it explains what was not asked for"),
        "dunning_resume": Holding(Fate.KEPT, "it explains what was not asked for"),
        "dunning_step": Holding(Fate.KEPT, "it proves what was asked for, and names nobody"),
        "payout_payment": Holding(
            Fate.KEPT,
            "Code de commerce L123-22; a payer's name is looked for by itself (`quoting`)",
        ),
        "payout_booking": Holding(Fate.KEPT, "Code de commerce L123-22"),
        "receipt": Holding(Fate.KEPT, "Code de commerce L123-22; it knows a reference only"),
        "receipt_cancellation": Holding(Fate.KEPT, "it explains what the journal took back"),
        "receipt_copy": Holding(Fate.KEPT, "it proves which copy was the original"),
        "renewal_notice": Holding(Fate.KEPT, "it proves what was announced, and names nobody"),
        "letter": Holding(
            Fate.BLANKED,
            "its key keeps it from being written twice",
            (
                *("to_name", "email", "gone", "address", "postcode"),
                *("subject", "text", "html", "message"),
            ),
        ),
        "letter_enclosure": Holding(Fate.DELETED, "nothing is enclosed in what was forgotten"),
        "post_pause": Holding(Fate.DELETED, "nobody is written to any more"),
        "ledger_posting": Holding(Fate.KEPT, "the journal is sealed; it knows a reference only"),
        "erasure": Holding(Fate.KEPT, "it proves the erasure, and names nobody"),
    }
)
# Tables in which nothing points to a person; events and sealed secrets are erased by their subject.
# What a bank wrote of a movement is a document of the accounts, and kept as long as they are.
OF_NOBODY = frozenset(
    {
        "alembic_version",
        "archive_access",
        "archived_identity",
        "bank_movement",
        "bank_statement",
        "billing_run",
        "carry",
        "closing",
        "collection",
        "collection_file",
        "debt_payment",
        "event",
        "finding",
        "fund",
        "fund_decision",
        "fund_movement",
        "gathered_series",
        "hour_value",
        "ledger_transaction",
        "local_currency",
        "movement_booking",
        "organisation",
        "organisation_profile",
        "payout",
        "plan",
        "plan_component",
        "price",
        "promised_debt",
        "purged",
        "read_mailbox",
        "reciprocity_contract",
        "schedule",
        "sealed_secret",
        "self_billing_mandate",
        "server",
        "settlement",
        "settlement_part",
        "settlement_step",
        "split_contract",
        "split_share",
    }
)


def reflected(session: Session) -> MetaData:
    """Return the tables as they are in the registry of `session`."""
    there = MetaData()
    there.reflect(session.connection())
    return there


def of_persons(there: MetaData) -> dict[str, tuple[Link, ...]]:
    """Return the tables whose rows belong to a person, each with the ways that lead there.

    A way is a foreign key, a column of POINTERS, or a column `<table>_id`, to a table that belongs
    to a person itself. The archive is apart: nothing leads from a person to it.
    """
    ways: dict[str, tuple[Link, ...]] = {ROOT: ()}
    while True:
        seen = {
            table.name: links
            for table in there.sorted_tables
            if table.name not in OF_NOBODY and (links := _links(table, there, set(ways)))
        }
        if seen.keys() | {ROOT} == ways.keys():
            return ways | seen
        ways |= seen


def uncovered(there: MetaData) -> list[str]:
    """Return the tables of which nobody decided what becomes of them when a person is erased."""
    return sorted(set(there.tables) - set(HOLDINGS) - OF_NOBODY)


def shown_columns(table: Table) -> list[str]:
    """Return the columns that a person may see of their rows: all but secrets and their hashes."""
    return [
        column.name
        for column in table.columns
        if not any(word in column.name for word in SECRET_WORDS)
    ]


def _links(table: Table, there: MetaData, personal: set[str]) -> tuple[Link, ...]:
    return tuple(
        dict.fromkeys(
            link
            for link in (*_foreign_keys(table), *_pointers(table, there))
            if link.target in personal and link.target != table.name
        )
    )


def _foreign_keys(table: Table) -> Iterator[Link]:
    for key in sorted(table.foreign_key_constraints, key=lambda constraint: str(constraint.name)):
        target = tuple(element.column.name for element in key.elements)
        yield Link(tuple(key.column_keys), key.referred_table.name, target)


def _pointers(table: Table, there: MetaData) -> Iterator[Link]:
    for column in table.columns:
        name = column.name
        if name in POINTERS:
            target, key = POINTERS[name]
            yield Link((name,), target, (key,))
        elif name.endswith("_id") and name.removesuffix("_id") in there.tables:
            yield Link((name,), name.removesuffix("_id"), ("id",))
