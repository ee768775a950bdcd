"""The register of processing (RGPD article 30) as a French document: paper, page or text.

Who is responsible comes from the profiles, durations from the retention rules, machines from the
registry; what is done with data and how it is kept safe is told in `templates/money/register.toml`,
which a person reads like the document.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from provision.errors import UsageRefused
from provision.paper import page_pdf
from provision.registry.models import Bundle
from provision.rendering import render
from provision.shipped import share
from provision.subscriptions.parties import organisations, profiles
from provision.subscriptions.privacy import retention

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.settings import Operator
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.parties.profiles import Profile
    from provision.subscriptions.privacy.retention import RetentionRule

WORDS = "money/register.toml"
PDF, PAGE, TEXT = ".pdf", ".html", ".txt"


@dataclass(frozen=True)
class Controller:
    """An organisation that is responsible for what it does with data, with its profile if any."""

    organisation: Organisation
    profile: Profile | None


@dataclass(frozen=True)
class Processing:
    """One activity of the register: what article 30(1) asks of it."""

    title: str
    purpose: str
    basis: str
    persons: str
    data: str
    recipients: str
    rules: tuple[RetentionRule, ...]
    end: str


@dataclass(frozen=True)
class Book:
    """All that the register says on a day."""

    day: date
    operator: Operator
    controllers: tuple[Controller, ...]
    processings: tuple[Processing, ...]
    rules: tuple[RetentionRule, ...]
    measures: tuple[str, ...]
    machines: tuple[str, ...]


def book(session: Session, operator: Operator, today: date) -> Book:
    """Return the register of `today`. Raises UsageRefused when no organisation is known yet."""
    controllers = tuple(
        Controller(organisation, profiles.on(session, organisation.id, today))
        for organisation in organisations.everyone(session)
    )
    if not controllers:
        raise UsageRefused(
            "There is no organisation whose register this would be",
            "Write it down: paquet organisation add --help",
        )
    words = tomllib.loads((share("templates") / WORDS).read_text(encoding="utf-8"))
    living = select(Bundle.server, Bundle.backup_server).where(Bundle.state != "erased").distinct()
    return Book(
        day=today,
        operator=operator,
        controllers=controllers,
        processings=tuple(_processing(processing) for processing in words["processing"]),
        rules=retention.rules(),
        measures=tuple(words["measures"]),
        machines=tuple(sorted({name for row in session.execute(living) for name in row})),
    )


def document(told: Book, ending: str) -> bytes:
    """Return the register as a file that ends with `.pdf`, `.html` or `.txt`."""
    if ending == PDF:
        return page_pdf(_page(told), render("money/register.css", {}))
    if ending == PAGE:
        return _page(told).encode()
    if ending == TEXT:
        return render("money/register.txt", vars(told)).encode()
    raise UsageRefused(
        f"A register cannot be written as {ending[:20]!r}", f"Use {PDF}, {PAGE} or {TEXT}."
    )


def _page(told: Book) -> str:
    return render("money/register.html", vars(told))


def _processing(written: dict[str, Any]) -> Processing:
    rules = tuple(retention.rule(code) for code in written["rules"])
    return Processing(**{**written, "rules": rules})
