"""What a bundle takes of its room, and who takes it, as its server measured it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

from provision.errors import PaquetError
from provision.servers import inventory, looking

if TYPE_CHECKING:
    from provision.registry.models import Bundle
    from provision.workflows.control import Control

READ = looking.Inquiry(("cat", "/var/lib/paquet/room.json"), "has measured no bundle yet")
MIB, GIB = 1 << 20, 1 << 30
Bytes = Annotated[int, Field(ge=0, lt=1 << 60)]


class Shares(BaseModel):
    """Bytes that one person takes; calendars and contacts are 0 where a database keeps them."""

    mail: Bytes = 0
    files: Bytes = 0
    calendars: Bytes = 0

    @property
    def all(self) -> int:
        """Return the bytes of all of it."""
        return self.mail + self.files + self.calendars


class Used(BaseModel):
    """What is taken of a bundle's room, in bytes, by whom, and when that was measured."""

    taken: Bytes
    people: dict[str, Shares]
    measured: AwareDatetime

    @property
    def when(self) -> str:
        """When that was, for people: of a server whose measuring stopped it may be long ago."""
        return f"{self.measured:%Y-%m-%d %H:%M %Z}"


TOLD = TypeAdapter(dict[str, dict[str, object]])


def look(control: Control, bundle: Bundle) -> Used:
    """Return what the server of `bundle` measured last, every five minutes if it can.

    It is asked of the bundle's people alone. Raises Unreachable, or PaquetError when it has not
    measured this bundle yet.
    """
    host = inventory.find(control.settings.inventory, bundle.server)
    said = looking.ask_program(host, control.settings, READ)
    try:
        used = Used.model_validate(TOLD.validate_json(said)[bundle.name])
    except (ValidationError, KeyError):
        raise PaquetError(
            f"{bundle.server} has not measured the bundle of {bundle.domain} yet",
            f"It does every five minutes, after `paquet server deploy {bundle.server}`.",
        ) from None
    known = {user.address for user in bundle.users}
    people = {address: shares for address, shares in used.people.items() if address in known}
    return used.model_copy(update={"people": people})


def size(taken: int) -> str:
    """Return bytes as people read them: 21.0 GiB, or 45 MiB below one."""
    return f"{taken / GIB:.1f} GiB" if taken >= GIB else f"{taken / MIB:.0f} MiB"


def by_whom(used: Used) -> str:
    """Return who takes how much, the most first."""
    people = sorted(used.people.items(), key=lambda person: (-person[1].all, person[0]))
    return ", ".join(
        f"{address} {size(shares.all)} (mail {size(shares.mail)}, files {size(shares.files)}, "
        f"calendars {size(shares.calendars)})"
        for address, shares in people
    )
