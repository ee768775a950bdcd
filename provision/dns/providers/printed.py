"""Publishing by hand: a person enters the records where the domain was bought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.dns.zone import registrar_rows, registrar_table
from provision.errors import PaquetError

if TYPE_CHECKING:
    from provision.dns.changes import ChangeSet
    from provision.dns.records import Record
    from provision.dns.zone import Row


class RecordsToEnter(PaquetError):
    """Records that only a person can publish; `rows` are the lines of the registrar's form."""

    def __init__(self, zone: str, records: list[Record]) -> None:
        super().__init__(
            f"These records of {zone} must be entered by hand:\n{registrar_table(records, zone)}",
            "Enter them where the domain was bought; `paquet dns check` says when all are seen.",
        )
        self.rows: list[Row] = registrar_rows(records, zone)


class Printed:
    """A zone that this program cannot read or write."""

    def fetch(self, zone: str) -> list[Record]:  # noqa: ARG002 -- the shape of every provider
        """Return nothing: a registrar's form cannot be read."""
        return []

    def apply(self, zone: str, changes: ChangeSet) -> None:
        """Raise RecordsToEnter with what a person has to enter, unless nothing changes."""
        records = [*changes.creates, *(update.after for update in changes.updates)]
        if records:
            raise RecordsToEnter(zone, records)
