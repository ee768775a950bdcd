"""Numbers of customers and accounts of organisations, kept as they were typed: one way of writing.

A document of before could not be written where a SIREN, a VAT number or a BIC had spaces in it; a
reference of an order stood on none, and would have to be readable now.
What it says does not change. What is no VAT number or BIC at all is left out: it could stand on no
document.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

from provision.migrations.guards import guard

if TYPE_CHECKING:
    from collections.abc import Callable

revision = "0013"
down_revision = "0012"

IDENTITY = ("id", "subscriber_id", "recorded_on", "content")
PROFILE = ("organisation_id", "valid_from")
TRIGGERS = {
    "sqlite": {
        "identity": ("pinned", "no_replace"),
        "organisation_profile": ("no_update", "no_delete", "no_replace_1"),
    },
    "postgresql": {
        "identity": ("pinned",),
        "organisation_profile": ("kept_by_row", "kept_by_statement"),
    },
}
VAT_ID = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,12}")
BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
LONGEST_REFERENCE = 60
FRENCH = re.compile(r"[0-9]{5}")


def upgrade() -> None:
    """Take the triggers that keep these rows away, mend the rows, and put the triggers back."""
    dialect = op.get_context().dialect.name
    for table, names in TRIGGERS[dialect].items():
        for name in names:
            on = f" ON {table}" if dialect == "postgresql" else ""
            op.execute(f"DROP TRIGGER {table}_{name}{on}")
    _mend("identity", ("id",), _identity)
    _mend("organisation_profile", PROFILE, _profile)
    guard(dialect, {"organisation_profile": (PROFILE,)}, (), {"identity": IDENTITY})


def _mend(
    table: str, key: tuple[str, ...], mended: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    rows = sa.table(table, *(sa.column(name) for name in (*key, "content")))
    connection = op.get_bind()
    for row in connection.execute(sa.select(rows)).mappings().all():
        there = json.loads(row["content"])
        content = json.dumps(mended(there), ensure_ascii=False, separators=(",", ":"))
        if content != json.dumps(there, ensure_ascii=False, separators=(",", ":")):
            same = sa.and_(*(rows.c[name] == row[name] for name in key))
            connection.execute(sa.update(rows).where(same).values(content=content))


def _identity(person: dict[str, Any]) -> dict[str, Any]:
    vat_id = _compact(person.get("vat_id", ""))
    return person | {
        "siren": _compact(person.get("siren", "")),
        "vat_id": vat_id if VAT_ID.fullmatch(vat_id) else "",
        "order_reference": _line(person.get("order_reference", ""))[:LONGEST_REFERENCE],
        "address": _address(person.get("address")),
    }


def _profile(profile: dict[str, Any]) -> dict[str, Any]:
    bic = _compact(profile.get("bic", ""))
    return profile | {
        "iban": _compact(profile.get("iban", "")),
        "bic": bic if BIC.fullmatch(bic) else "",
        "creditor_identifier": _compact(profile.get("creditor_identifier", "")),
        "address": _address(profile["address"]),
    }


def _address(address: dict[str, Any] | None) -> dict[str, Any] | None:
    if address is None or not FRENCH.fullmatch(_compact(address["postcode"])):
        return address
    return address | {"postcode": _compact(address["postcode"])}


def _line(written: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in written).split())


def _compact(written: str) -> str:
    return re.sub(r"[\s./-]", "", written).upper()
