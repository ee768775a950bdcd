"""What differs between the records that should be and those that are, and whether that is safe."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provision.dns.hostnames import absolute
from provision.dns.records import SPF, bundle_records
from provision.errors import UnsafeChange

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provision.dns.records import BundleNames, Record

# Made by the name server itself, or decided by whoever runs the zone.
UNTOUCHED = frozenset(
    ("SOA", "NS", "DS", "DNSKEY", "CDS", "CDNSKEY", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM")
)


@dataclass(frozen=True)
class ZoneScope:
    """What one owner may change in a zone.

    `names` are its own with every type; `shared` are single types at a name that others use too.
    Of a shared TXT only the SPF value is its own: a site verification beside it stays.
    """

    names: frozenset[str]
    shared: frozenset[tuple[str, str]] = frozenset()

    def covers(self, record: Record) -> bool:
        """Whether the owner may change this record."""
        if record.type in UNTOUCHED:
            return False
        return record.name in self.names or record.key in self.shared


@dataclass(frozen=True)
class Update:
    """One record before and after."""

    before: Record
    after: Record


@dataclass(frozen=True)
class ChangeSet:
    """What must happen to a zone; `existing` is how many records the owner has there now."""

    creates: tuple[Record, ...]
    updates: tuple[Update, ...]
    deletes: tuple[Record, ...]
    existing: int

    @property
    def is_empty(self) -> bool:
        """Whether the zone is already as it should be."""
        return not (self.creates or self.updates or self.deletes)


@dataclass(frozen=True)
class Limits:
    """The shares of the existing records that may change at once, where there are at least so many.

    The numbers are octoDNS's (its `Plan`): 30 % of at least 10.
    """

    updates: float = 0.3
    deletes: float = 0.3
    at_least: int = 10


def bundle_scope(names: BundleNames) -> ZoneScope:
    """Return what a bundle owns: its names, but of an own domain's top only MX and SPF.

    The subscriber's web site lives at the top of an own domain.
    """
    owned = frozenset(record.name for record in bundle_records(names))
    if not names.is_own_domain:
        return ZoneScope(owned)
    top = absolute(names.domain)
    return ZoneScope(owned - {top}, frozenset({(top, "MX"), (top, "TXT")}))


def own_scope(desired: Iterable[Record]) -> ZoneScope:
    """Return what the operator's own names may change: what they need, and nothing beside it."""
    return ZoneScope(frozenset(), frozenset(record.key for record in desired))


def plan(desired: Iterable[Record], actual: Iterable[Record], scope: ZoneScope) -> ChangeSet:
    """Return what turns the `actual` records within `scope` into the `desired` ones."""
    existing = {record.key: record for record in actual if scope.covers(record)}
    wanted = _beside_others({record.key: record for record in desired}, existing, scope)
    common = sorted(wanted.keys() & existing.keys())
    return ChangeSet(
        creates=tuple(wanted[key] for key in sorted(wanted.keys() - existing.keys())),
        updates=tuple(
            Update(existing[key], wanted[key]) for key in common if wanted[key] != existing[key]
        ),
        deletes=tuple(existing[key] for key in sorted(existing.keys() - wanted.keys())),
        existing=len(existing),
    )


def raise_if_unsafe(changes: ChangeSet, limits: Limits | None = None) -> None:
    """Raise UnsafeChange when more of what exists changes than a careful person expects."""
    limits = limits or Limits()
    if changes.existing < limits.at_least:
        return
    for word, count, share in (
        ("change", len(changes.updates), limits.updates),
        ("delete", len(changes.deletes), limits.deletes),
    ):
        if count > share * changes.existing:
            raise UnsafeChange(
                f"This would {word} {count} of {changes.existing} records "
                f"(more than {share:.0%} at once)",
                "Read them with `paquet dns diff`; if all is meant, say it again with --force.",
            )


def describe(changes: ChangeSet) -> list[dict[str, object]]:
    """Return one row per change: action, name, type, ttl, values and, if changed, values before."""
    return [
        *(_row("create", record) for record in changes.creates),
        *(
            {**_row("update", each.after), "before": list(each.before.values)}
            for each in changes.updates
        ),
        *(_row("delete", record) for record in changes.deletes),
    ]


def _row(action: str, record: Record) -> dict[str, object]:
    return {
        "action": action,
        "name": record.name,
        "type": record.type,
        "ttl": record.ttl,
        "values": list(record.values),
    }


def _beside_others(
    wanted: dict[tuple[str, str], Record], existing: dict[tuple[str, str], Record], scope: ZoneScope
) -> dict[tuple[str, str], Record]:
    """Add to the wanted shared TXT records the values there that belong to others."""
    merged = dict(wanted)
    for key in scope.shared:
        if key not in existing or key[1] != "TXT":
            continue
        others = tuple(value for value in existing[key].values if not value.startswith(SPF))
        if others:
            base = wanted.get(key, existing[key])
            own = wanted[key].values if key in wanted else ()
            merged[key] = replace(base, values=(*own, *others))
    return merged
