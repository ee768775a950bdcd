"""What every way of publishing can do, and which one the settings ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from provision.dns.providers.knot import Key, Knot
from provision.dns.providers.printed import Printed
from provision.errors import PaquetError

if TYPE_CHECKING:
    from provision.dns.changes import ChangeSet
    from provision.dns.lookup import NameServer
    from provision.dns.records import Record
    from provision.settings import Names


class Provider(Protocol):
    """A place where a zone is kept."""

    def fetch(self, zone: str) -> list[Record]:
        """Return every record of the zone that the provider can show."""

    def apply(self, zone: str, changes: ChangeSet) -> None:
        """Make the changes, all or none. Raises PaquetError when that is not possible."""


def provider(names: Names, asked: NameServer | None = None) -> Provider:
    """Return the provider that the settings ask for. Raises PaquetError when something lacks.

    `asked` is whom the provider `print` asks what is there already; None means the servers that
    decide about the zone.
    """
    if names.provider == "print":
        return Printed(asked)
    if not (names.server and names.key_name and names.key_file):
        raise PaquetError(
            "The provider `knot` needs server, key_name and key_file",
            "Add them to [names] in the settings, or choose `print`.",
        )
    key = Key.read(names.key_name, names.key_algorithm, names.key_file)
    return Knot(names.server, names.port, key)
