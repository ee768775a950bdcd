"""What stands in the way of erasing a person: a bundle, a subscription, money owed either way."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.money import Amount, find_commodity, show, show_euros
from provision.subscriptions.documents import drafts, numbering

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from provision.subscriptions.privacy.gathering import Gathered, Row

# Accounts of what others owe and are owed: classes 4 (third parties) and 511 (being collected).
OWED = ("4", "511")


@dataclass(frozen=True)
class Obstacle:
    """What stands in the way, and how it is taken away; numbers only, no names."""

    what: str
    hint: str


def obstacles(gathered: Gathered) -> list[Obstacle]:
    """Return all that stands in the way: nothing when the person may be erased. Pure."""
    return [
        *_bundles(gathered),
        *_subscriptions(gathered),
        *_documents(gathered),
        *_ledger(gathered),
    ]


def _bundles(gathered: Gathered) -> Iterator[Obstacle]:
    hints = {
        "closed": "Its owner may take all until its window is over; then: paquet bundle erase.",
        "suspended": "Close it (paquet bundle close), hand over its export, then erase it.",
    }
    orders = {row["bundle_id"]: row for row in gathered.get("order", ())}
    for row in gathered.get("bundle", ()):
        if row["state"] == "erased":
            continue
        order = orders.get(row["id"])
        hint = hints.get(row["state"], hints["suspended"])
        if order is not None and order["state"] != "delivered":
            hint = f"Its order was not delivered: paquet order cancel {order['id']}"
        yield Obstacle(f"bundle {row['name']} is {row['state']}", hint)


def _subscriptions(gathered: Gathered) -> Iterator[Obstacle]:
    for row in gathered.get("subscription", ()):
        if row["state"] != "ended":
            yield Obstacle(
                f"subscription {row['id']} is {row['state']}",
                f"End it first: paquet subscription show {row['id']}",
            )


def _documents(gathered: Gathered) -> Iterator[Obstacle]:
    """Yield each document of which something is open: gross less what was set against it."""
    against: dict[tuple[object, ...], int] = defaultdict(int)
    for row in gathered.get("allocation", ()):
        against[_document(row)] += row["units"]
    for row in gathered.get("invoice", ()):
        units = row["gross"] - against[_document(row)]
        if units:
            shown = numbering.shown(row["series"], row["number"])
            back = ", to be paid back" if row["kind"] == drafts.CREDIT_NOTE else ""
            yield Obstacle(
                f"{show_euros(units)} is open on {shown}{back}",
                "Wait for the payment, pay it back, or write it off.",
            )


def _ledger(gathered: Gathered) -> Iterator[Obstacle]:
    """Yield what a journal says beyond documents: advances, debits on their way."""
    sums: dict[tuple[int, str], int] = defaultdict(int)
    for row in gathered.get("ledger_posting", ()):
        if row["account"].startswith(OWED):
            sums[row["organisation_id"], row["commodity"]] += row["units"]
    documents = _open_by_issuer(gathered)
    for (owner, commodity), units in sorted(sums.items()):
        beyond = units - (documents[owner] if commodity == "EUR" else 0)
        if beyond:
            amount = show(Amount(find_commodity(commodity), beyond), "en")
            yield Obstacle(
                f"journal {owner} holds {amount} beside the documents",
                "Settle it: paquet books balance shows the accounts.",
            )


def _open_by_issuer(gathered: Gathered) -> Mapping[int, int]:
    sums: dict[int, int] = defaultdict(int)
    signs = {}
    for row in gathered.get("invoice", ()):
        sign = -1 if row["kind"] == drafts.CREDIT_NOTE else 1
        signs[_document(row)] = sign
        sums[row["organisation_id"]] += sign * row["gross"]
    for row in gathered.get("allocation", ()):
        sums[row["organisation_id"]] -= signs[_document(row)] * row["units"]
    return sums


def _document(row: Row) -> tuple[object, ...]:
    return row["organisation_id"], row["series"], row["number"]
