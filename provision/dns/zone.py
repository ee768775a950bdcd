"""Records as text: a zone file for a name server, a table for a registrar's form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.rdatatype
import dns.zonefile

from provision.dns.hostnames import absolute, relative
from provision.dns.records import Record, plain_text
from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dns.rrset import RRset

WITH_PRIORITY = ("MX", "SRV")


@dataclass(frozen=True)
class FormRow:
    """One line of a registrar's form: `host` counts from the zone, `@` is the zone itself.

    `priority` is filled for MX and SRV, which most forms ask in a field of its own.
    """

    host: str
    type: str
    priority: str
    value: str
    ttl: int


def zone_text(records: Iterable[Record]) -> str:
    """Return the records as master file lines (RFC 1035 §5), with absolute names."""
    lines = [
        (record.name, str(record.ttl), "IN", record.type, value)
        for record in records
        for value in record.values
    ]
    return "".join(line + "\n" for line in _aligned(lines))


def parse_zone(zone_file: str, zone: str) -> list[Record]:
    """Given a zone file, return its records, sorted. Raises PaquetError when it is not one."""
    try:
        rrsets = dns.zonefile.read_rrsets(
            zone_file, origin=dns.name.from_text(absolute(zone)), relativize=False, rdclass=None
        )
    except dns.exception.DNSException as wrong:
        raise PaquetError(f"That is no zone file: {wrong}", "Mend the line it names.") from None
    return sorted((from_rrset(each) for each in rrsets), key=lambda record: record.key)


def from_rrset(rrset: RRset) -> Record:
    """Return a record from dnspython's form of it (an RRset with an absolute name)."""
    return Record(
        rrset.name.to_text(),
        dns.rdatatype.to_text(rrset.rdtype),
        rrset.ttl,
        tuple(rdata.to_text() for rdata in rrset),
    )


def registrar_rows(records: Iterable[Record], zone: str) -> list[FormRow]:
    """Return the lines to type into a registrar's form for `zone`."""
    return [_registrar_row(record, value, zone) for record in records for value in record.values]


def registrar_table(records: Iterable[Record], zone: str) -> str:
    """Return the lines for a registrar's form as one aligned table with a heading."""
    rows = registrar_rows(records, zone)
    lines = [(row.host, row.type, row.priority, str(row.ttl), row.value) for row in rows]
    return "".join(
        line + "\n" for line in _aligned([("Host", "Type", "Priority", "TTL", "Value"), *lines])
    )


def _registrar_row(record: Record, value: str, zone: str) -> FormRow:
    host = relative(record.name, zone)
    if record.type == "TXT":
        return FormRow(host, "TXT", "", plain_text(value), record.ttl)
    if record.type in WITH_PRIORITY:
        priority, rest = value.split(maxsplit=1)
        return FormRow(host, record.type, priority, rest, record.ttl)
    return FormRow(host, record.type, "", value, record.ttl)


def _aligned(lines: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the lines with every column but the last one padded to its widest cell."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)][:-1]
    return [
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]
        )
        for line in lines
    ]
