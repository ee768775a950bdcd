"""Whose things a list is about: an organisation's, those of a territory, or everybody's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.words import name_type, typed
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.commands.shared.words import Command

organisation_option = click.option("--organisation", type=name_type, help="Only this one's.")
territory_option = click.option("--territory", type=name_type, help="Only who is at home there.")


@dataclass(frozen=True)
class Narrow:
    """Whose things a command is about: an organisation's, those of a territory, or everybody's."""

    organisation: str | None
    territory: str | None

    def seen(self, session: Session) -> set[int]:
        """Return the numbers of these organisations."""
        every = organisations.everyone(session)
        if self.organisation:
            every = [organisations.get(session, self.organisation)]
        if self.territory:
            wanted = self.territory.casefold()
            every = [each for each in every if each.territory.casefold() == wanted]
        return {each.id for each in every}


def narrow_options(command: Command) -> Command:
    """Add --organisation and --territory, which the command gets as `narrow`."""
    return organisation_option(territory_option(typed(Narrow, "narrow")(command)))
