"""Publishing by hand: a person enters the records where the domain was bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.dns.lookup import ask, authoritative_servers, mismatch
from provision.dns.zone import registrar_rows, registrar_table
from provision.errors import PaquetError

if TYPE_CHECKING:
    from provision.dns.changes import ChangeSet
    from provision.dns.lookup import NameServer
    from provision.dns.records import Record
    from provision.dns.zone import FormRow


class RecordsToEnter(PaquetError):
    """Records that only a person can publish; `rows` are the lines of the registrar's form."""

    def __init__(self, zone: str, records: list[Record]) -> None:
        super().__init__(
            f"These records of {zone} must be entered by hand:\n{registrar_table(records, zone)}",
            "Enter them where the domain was bought; `paquet dns check` says when all are seen.",
        )
        self.rows: list[FormRow] = registrar_rows(records, zone)


@dataclass(frozen=True)
class Printed:
    """A zone that this program can look at, but neither list nor write.

    `asked` answers what is there; None means the servers that decide about the zone.
    """

    asked: NameServer | None = None

    def fetch(self, zone: str) -> list[Record]:  # noqa: ARG002 -- the shape of every provider
        """Return nothing: a registrar's form cannot be read."""
        return []

    def apply(self, zone: str, changes: ChangeSet) -> None:
        """Raise RecordsToEnter with what a person still has to enter.

        What is already answered is not asked for again: once all is entered, this is done.
        """
        wanted = [*changes.creates, *(update.after for update in changes.updates)]
        lacking = self._unseen(zone, wanted) if wanted else []
        if lacking:
            raise RecordsToEnter(zone, lacking)

    def _unseen(self, zone: str, records: list[Record]) -> list[Record]:
        asked = self.asked or next(iter(authoritative_servers(zone)), None)
        if asked is None:
            return records
        return [each for each in records if mismatch(each, ask(each.name, each.type, asked))]
