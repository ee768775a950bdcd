"""Associations and businesses: who they are, checked before they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import edges
from provision.errors import UsageRefused
from provision.formats.codes import business_numbers
from provision.subscriptions.parties.models import Organisation

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

KINDS = ("association", "business")


def add(
    session: Session, name: str, kind: str, *, siren_typed: str = "", territory: str = ""
) -> Organisation:
    """Write a new organisation; a name or a SIREN that is taken is refused."""
    if kind not in KINDS:
        raise UsageRefused(f"{kind[:40]!r} is not a kind of organisation", f"Use {_kinds()}.")
    organisation = Organisation(
        name=edges.person_name(name, "name of the organisation"),
        kind=kind,
        siren=business_numbers.siren(siren_typed) if siren_typed else None,
        territory=edges.person_name(territory, "territory") if territory else "",
    )
    there = named(session, organisation.name)
    if there is not None:
        raise UsageRefused(f"There is an organisation {there.name} already", "Choose another name.")
    _refuse_taken(session, organisation.siren)
    session.add(organisation)
    session.flush()
    return organisation


def identify(session: Session, organisation: Organisation, siren_typed: str) -> None:
    """Give an organisation the SIREN that it was added without; another one is refused."""
    siren = business_numbers.siren(siren_typed)
    if organisation.siren == siren:
        return
    if organisation.siren:
        raise UsageRefused(
            f"{organisation.name} has the SIREN {organisation.siren}, which its documents carry",
            "Who has another one is another organisation: paquet organisation add --help",
        )
    _refuse_taken(session, siren)
    organisation.siren = siren
    session.flush()


def get(session: Session, name: str) -> Organisation:
    """Return the organisation of this name, whatever its capitals, or raise UsageRefused."""
    checked = edges.person_name(name, "name of the organisation")
    organisation = named(session, checked)
    if organisation is None:
        raise UsageRefused(
            f"There is no organisation {checked}",
            f"See `paquet organisation list`, or add it: paquet organisation add --kind {_kinds()}",
        )
    return organisation


def named(session: Session, name: str) -> Organisation | None:
    """Return the organisation of this name, or None; compared here: SQLite knows no accents."""
    wanted = name.casefold()
    return next(
        (
            organisation
            for organisation in everyone(session)
            if organisation.name.casefold() == wanted
        ),
        None,
    )


def everyone(session: Session) -> list[Organisation]:
    """Return all organisations by name."""
    return list(session.scalars(select(Organisation).order_by(Organisation.name)))


def _refuse_taken(session: Session, siren: str | None) -> None:
    if siren and session.scalar(select(Organisation).where(Organisation.siren == siren)):
        raise UsageRefused(
            f"The SIREN {siren} belongs to another organisation", "See: paquet organisation list"
        )


def _kinds() -> str:
    return "|".join(KINDS)
